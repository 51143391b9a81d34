"""This process's connections: clients, their sockets in namespaces, and who is in which room.

From the bottom up: ``namespace`` and ``local`` (who is where), ``socket`` (a connection in a
namespace), ``admission`` (how it gets in), ``client`` (a connection), ``members`` (what other
processes, and operators, may ask of all of them).
"""
