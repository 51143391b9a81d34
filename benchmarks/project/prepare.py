"""Make the database that the benchmarks' servers use: ``python -m benchmarks.project.prepare``."""

from __future__ import annotations

import os

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.project.settings")
    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    from benchmarks.project.query import NAME

    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user(NAME)


if __name__ == "__main__":
    main()
