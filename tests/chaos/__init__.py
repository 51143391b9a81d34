"""Faults at random, from a seed, and a verdict: is each broadcast at each client, once, in order?

Run as ``python -m tests.chaos``, or ``make chaos``. Every server process stays alive, and so do
the connections of the clients; what suffers is Redis and the way to it.
"""
