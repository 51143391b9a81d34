"""The Django project that does what ``reference.mjs`` does."""
