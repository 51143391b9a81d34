"""The namespaces that do what `reference.mjs` does."""
