"""Values that name sockets and tell of them: ids, rooms, targets, descriptions, outcomes.

Nothing here has state that changes, or knows of an event loop, a transport or a channel layer.
"""
