"""Puts the official client into built distributions.

python -m scripts.client take .demo/node_modules/socket.io-client   # from npm to the package
python -m scripts.client check dist/*                               # whether they contain it
"""

from __future__ import annotations

import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import django_socketio
from django_socketio.bundles import FILES, FOLDER, LICENSE

TARGET = Path(django_socketio.__file__).parent / "static" / FOLDER


def take(package: Path, target: Path = TARGET) -> None:
    """Copy the bundles with their source maps and the licence out of an npm package.

    Raises OSError if the package has not all of them.
    """
    target.mkdir(parents=True, exist_ok=True)
    for name in sorted(FILES):
        source = package / "LICENSE" if name == LICENSE else package / "dist" / name
        shutil.copyfile(source, target / name)


def missing(distribution: Path) -> list[str]:
    """Return which of the client's files a wheel or an sdist does not contain, or has empty."""
    if distribution.suffix == ".whl":
        with zipfile.ZipFile(distribution) as wheel:
            sizes = {item.filename: item.file_size for item in wheel.infolist()}
    else:
        with tarfile.open(distribution) as sdist:
            # Everything in an sdist is below one folder.
            sizes = {item.name.partition("/")[2]: item.size for item in sdist}
    folder = f"django_socketio/static/{FOLDER}"
    return sorted(name for name in FILES if not sizes.get(f"{folder}/{name}"))


def main(command: str, *paths: str) -> str | None:
    """Run a command; return what is wrong."""
    if command == "take":
        take(*map(Path, paths))
        return None
    found = {path: missing(Path(path)) for path in paths}
    for path, names in found.items():
        print(f"{path}: {'lacks ' + ', '.join(names) if names else 'contains the client'}")
    wrong = [path for path, names in found.items() if names]
    return f"Without the client: {', '.join(wrong)}" if wrong or not paths else None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
