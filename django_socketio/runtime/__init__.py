"""One event loop and its threads: tasks, timers, awaitables. Nothing here knows of Socket.IO."""
