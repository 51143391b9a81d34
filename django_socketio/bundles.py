"""The official client's bundles, which built distributions have among their static files.

They come from the npm package socket.io-client when a distribution is built (``make dist``), and
are not kept in the repository. https://socket.io/docs/v4/client-installation/
"""

from __future__ import annotations

from pathlib import Path

from django.contrib.staticfiles import finders

# Where they are, below a static folder.
FOLDER = "django_socketio/client"
LICENSE = "socket.io.LICENSE.txt"
BUNDLES = {
    "default": "socket.io.min.js",
    "debug": "socket.io.js",  # readable, and logs what localStorage.debug asks for
    "msgpack": "socket.io.msgpack.min.js",
    "esm": "socket.io.esm.min.js",
}
# What the Node server serves beside its path. Bundles name their source maps, so that
# ManifestStaticFilesStorage takes none without its map.
SERVED = frozenset(name + end for name in BUNDLES.values() for end in ("", ".map"))
FILES = frozenset({*SERVED, LICENSE})

ADVICE = (
    "Install a built distribution of channels-socketio, which contains it; in a checkout run "
    '"make client". Or put the folder dist of the npm package socket.io-client among your static '
    f'files: STATICFILES_DIRS = [("{FOLDER}", "node_modules/socket.io-client/dist")].'
)


def find(name: str) -> Path | None:
    """Return where one of :data:`FILES` is, None if it is not installed.

    A project's STATICFILES_DIRS come before what this package brings, as for any static file.
    """
    found = finders.find(f"{FOLDER}/{name}")
    return Path(found) if found else None
