"""The load generator: raw protocols that cost far less than the servers they drive."""
