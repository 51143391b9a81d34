"""Files that stand for the official client's bundles, where no JavaScript runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django_socketio.bundles import FILES, FOLDER

# Does not find what the package itself may have, as in a checkout after `make client`.
ONLY_DIRS = ["django.contrib.staticfiles.finders.FileSystemFinder"]


def content_of(name: str) -> bytes:
    if name.endswith(".map"):
        return b'{"version":3,"sources":[],"names":[],"mappings":""}'
    return f"/*!\n * {name}\n */\n//# sourceMappingURL={name}.map\n".encode() + b"// \n" * 20_000


def install(settings: Any, folder: Path) -> Path:
    """Make the files in a folder, and have the project find them there and nowhere else."""
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(content_of(name))
    settings.STATICFILES_FINDERS = ONLY_DIRS
    settings.STATICFILES_DIRS = [(FOLDER, folder)]
    return folder


def uninstall(settings: Any) -> None:
    """Have the project find no client."""
    settings.STATICFILES_FINDERS = ONLY_DIRS
    settings.STATICFILES_DIRS = []
