"""Django's signals of this server.

The first three are sent with the consumer's class as ``sender`` and its instance as ``socket``:

``socket_connected``
    A client was admitted to a namespace and has been told so.

``socket_disconnected``
    A client has left a namespace, and ``disconnect`` has run. ``reason``: one of the texts of
    https://socket.io/docs/v4/server-socket-instance/#disconnect

``event_received``
    An event has arrived, and its handler runs next. ``event``: its name; ``args``: a list.

The others but the last two have no sender. This one tells of other processes:

``server_event``
    Another process has called ``server_side_emit`` or ``server_side_call``. ``namespace``: its
    name; ``event``; ``args``: a list. What receivers return are the answers of this process. See
    https://socket.io/docs/v4/server-instance/#serversideemit

These tell what this process does. They cost nothing while nobody listens:

``connection_refused``
    A request of a client is refused; it is answered when the receivers have returned. ``scope``:
    the ASGI scope of the request; ``code``: a number; ``message``: what the client is told;
    ``context``: a dict with ``status`` and what the code is about. Node's "connection_error":
    https://socket.io/docs/v4/server-api/#event-connection_error

``transport_upgraded``
    A client has moved from polling to WebSocket. ``scope``: that of its handshake;
    ``transport``: "websocket"; ``sockets``: a list of its consumers.

``room_created``, ``room_deleted``
    A room has its first member in this process, or has lost its last. ``namespace``, ``room``: the
    names. https://socket.io/docs/v4/rooms/#room-events

``room_joined``, ``room_left``
    A socket has joined or left a room. ``namespace``, ``room``: the names; ``sid``: the socket's.

``event_sent``
    This process has sent an event, to however many sockets. ``namespace``, ``event``: the names;
    ``args``: a list; ``rooms``, ``exclude``: tuples of rooms, the room of a user being a pair
    (model, primary key); ``socket``: the consumer that has sent to its own client, else None. As
    https://socket.io/docs/v4/listening-to-events/#socketonanyoutgoinglistener, but once per call.

The last five are sent one after the other, in the order in which it happened, soon after it.

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
connection_refused = Signal()
transport_upgraded = Signal()
room_created = Signal()
room_deleted = Signal()
room_joined = Signal()
room_left = Signal()
event_sent = Signal()
user_online = Signal()
user_offline = Signal()
