"""Django's signals of this server.

The first three are sent with the consumer's class as ``sender`` and its instance as ``socket``:

``socket_connected``
    A client was admitted to a namespace and has been told so.

``socket_disconnected``
    A client has left a namespace, and ``disconnect`` has run. ``reason``: one of the texts of
    https://socket.io/docs/v4/server-socket-instance/#disconnect

``event_received``
    An event has arrived, and its handler runs next. ``event``: its name; ``args``: a list.

This one tells of other processes:

``server_event``
    Another process has called ``server_side_emit`` or ``server_side_call``. ``namespace``: its
    name; ``event``; ``args``: a list. What receivers return are the answers of this process. See
    https://socket.io/docs/v4/server-instance/#serversideemit

These tell of users, where ``SOCKETIO["PRESENCE"]`` is True (docs/presence.md), with the class of
the user as ``sender``, each in one process:

``user_online``
    A user's first socket has come, in any process. ``user_id``: the primary key, as text.

``user_offline``
    A user's last socket has been gone for ``PRESENCE_GRACE`` seconds. ``user_id`` is the same.

A receiver may be ``async def``, or a plain function, which runs in a worker thread and may use the
ORM. An exception that it raises is logged; the other receivers are called nevertheless.
"""

from django.dispatch import Signal

socket_connected = Signal()
socket_disconnected = Signal()
event_received = Signal()
server_event = Signal()
user_online = Signal()
user_offline = Signal()
