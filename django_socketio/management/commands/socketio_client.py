"""``manage.py socketio_client --output DIR``: writes the official client's bundles."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_socketio.bundles import ADVICE, BUNDLES, LICENSE, find


class Command(BaseCommand):
    """Writes bundles with their source maps and the licence where a project wants its own copy."""

    help = "Write the official Socket.IO client's bundles, with source maps and licence."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bundle",
            dest="bundles",
            action="append",
            choices=list(BUNDLES),
            help="one of them, by default all; may be repeated",
        )
        parser.add_argument(
            "--output", metavar="DIR", type=Path, required=True, help="made if it is not there"
        )
        parser.add_argument(
            "--force", action="store_true", help="replace files that have another content"
        )

    def handle(
        self,
        *args: Any,
        bundles: list[str] | None,
        output: Path,
        force: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        contents = _read(bundles or list(BUNDLES))
        try:
            changed = {
                path: content
                for name, content in contents.items()
                if not (path := output / name).exists() or path.read_bytes() != content
            }
            replaced = [str(path) for path in changed if path.exists()]
            if replaced and not force:
                raise CommandError(
                    f"These files are there, with another content: {', '.join(replaced)}. "
                    "Nothing was written; --force replaces them."
                )
            output.mkdir(parents=True, exist_ok=True)
            for path, content in changed.items():
                path.write_bytes(content)
        except OSError as error:
            raise CommandError(f"The client cannot be written: {error}") from error
        if verbosity:
            for name in contents:
                state = "written" if output / name in changed else "unchanged"
                self.stdout.write(f"{output / name} {state}")


def _read(bundles: list[str]) -> dict[str, bytes]:
    """Return the bundles' files by name. Raises CommandError if one is not installed."""
    names = [name + end for name in map(BUNDLES.__getitem__, bundles) for end in ("", ".map")]
    contents = {}
    for name in [*names, LICENSE]:
        path = find(name)
        if path is None and name == LICENSE:
            continue  # a project's own folder of bundles may have none
        if path is None:
            raise CommandError(f"{name} is not installed. {ADVICE}")
        contents[name] = path.read_bytes()
    return contents
