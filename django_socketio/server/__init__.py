"""The Socket.IO server: clients, consumers, namespaces and rooms, operators, acknowledgements."""
