"""The namespaces that hostile clients talk to."""
