"""Other processes: the channel-layer bus, what is said over it, and who is there.

Nothing here knows of clients or sockets; :mod:`django_socketio.server.network` joins the two.
"""

from .bus import Bus
from .messages import Kind, group_name
from .peers import Peers
from .sequence import Receiver, Sender

__all__ = ["Bus", "Kind", "Peers", "Receiver", "Sender", "group_name"]
