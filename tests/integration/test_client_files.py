"""The official client's real files: from npm, through static files, and from a server."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from django_socketio.bundles import BUNDLES, FILES, FOLDER, LICENSE, SERVED
from scripts.client import main, take
from tests.harness.bundles import ONLY_DIRS
from tests.harness.node import PACKAGES
from tests.harness.servers import Server
from tests.harness.wire import ask

pytestmark = pytest.mark.node

PACKAGE = PACKAGES / "socket.io-client"
ROOT = Path(__file__).resolve().parents[2]
STORAGE = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_server_serves_the_same_bytes(server: Server, name: str) -> None:
    path = f"/socket.io/{name}"
    answer = ask(server, "", path=path)
    assert answer.status == 200
    assert answer.body == (PACKAGE / "dist" / name).read_bytes()
    head = ask(server, "", "HEAD", path=path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.body))
    again = ask(server, "", headers={"If-None-Match": answer.headers["etag"]}, path=path)
    assert (again.status, again.body) == (304, b"")


def test_the_package_has_what_is_taken_from_it(tmp_path: Path) -> None:
    take(PACKAGE, tmp_path / "client")
    found = {path.name for path in (tmp_path / "client").iterdir()}
    assert found == FILES
    assert "MIT" in (tmp_path / "client" / LICENSE).read_text()


def test_tests_distributions_and_documentation_have_one_version() -> None:
    pinned = re.search(r"(?m)^CLIENT_VERSION = (\S+)$", (ROOT / "Makefile").read_text())
    assert pinned
    assert f"`socket.io-client` {pinned[1]}," in (ROOT / "docs" / "client.md").read_text()
    assert json.loads((PACKAGE / "package.json").read_text())["version"] == pinned[1]


def test_a_wheel_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = tmp_path / "package.whl"
    take(PACKAGE, tmp_path / "client")
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in FILES:
            archive.write(tmp_path / "client" / name, f"django_socketio/static/{FOLDER}/{name}")
    assert main("check", str(wheel)) is None
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in FILES - {"socket.io.js.map"}:
            archive.writestr(f"django_socketio/static/{FOLDER}/{name}", "x")
    assert main("check", str(wheel)) == f"Without the client: {wheel}"
    assert capsys.readouterr().out.endswith("lacks socket.io.js.map\n")


def test_hashed_static_files(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = {"staticfiles": {"BACKEND": STORAGE}}
    settings.STATICFILES_FINDERS = ONLY_DIRS
    settings.STATICFILES_DIRS = [(FOLDER, PACKAGE / "dist")]
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    for name in BUNDLES.values():
        stem = name.removesuffix(".js")
        hashed = [path.name for path in (tmp_path / FOLDER).glob(f"{stem}.*.js")]
        assert [n for n in hashed if re.fullmatch(re.escape(stem) + r"\.[0-9a-f]{12}\.js", n)]
