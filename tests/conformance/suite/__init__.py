"""The server that the official protocol suites want to be run against."""
