"""Other processes: the bus on the channel layer, what is said over it, and who is there.

``ports`` is the way in and out: what others may ask of this process, and what it tells and asks
them. Nothing here knows of clients or sockets.
"""
