"""Django signals of the server. ``sender`` is the consumer's class, ``socket`` its instance.

``socket_connected(socket)`` after a client has been admitted to a namespace,
``socket_disconnected(socket, reason)`` after it has left,
``event_received(socket, event, args)`` before an event's handler runs.

``server_event(namespace, event, args)`` when another process has called ``server_side_emit`` or
``server_side_call``; what receivers return are the answers.

Receivers run in a worker thread where they are plain functions, so the ORM is theirs; an exception
in a receiver is logged and harms nothing.
"""

from django.dispatch import Signal

socket_connected = Signal()
socket_disconnected = Signal()
event_received = Signal()
server_event = Signal()
