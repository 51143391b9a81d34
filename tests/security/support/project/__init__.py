"""A Django project that hostile clients talk to."""
