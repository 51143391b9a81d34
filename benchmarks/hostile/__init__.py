"""What one anonymous client can make the server pay: ``make hostile``."""
