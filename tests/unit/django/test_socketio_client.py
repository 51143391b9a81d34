"""`manage.py socketio_client`, and the bundles among a project's static files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.template import Context, Template

from django_socketio.bundles import BUNDLES, FILES, FOLDER, LICENSE
from tests.harness.bundles import content_of, install, uninstall

MANIFEST = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
}


@pytest.fixture(autouse=True)
def installed(settings: Any, tmp_path: Path) -> Path:
    return install(settings, tmp_path / "client")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "js" / "vendor"


def write(output: Path, *arguments: str) -> str:
    stdout = io.StringIO()
    call_command("socketio_client", "--output", str(output), *arguments, stdout=stdout)
    return stdout.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_everything_is_written(output: Path) -> None:
    said = write(output)
    assert contents(output) == {name: content_of(name) for name in FILES}
    assert sorted(said.splitlines()) == sorted(f"{output / name} written" for name in FILES)


@pytest.mark.parametrize("bundle", sorted(BUNDLES))
def test_one_bundle_with_its_map_and_the_licence(output: Path, bundle: str) -> None:
    write(output, "--bundle", bundle)
    assert set(contents(output)) == {BUNDLES[bundle], BUNDLES[bundle] + ".map", LICENSE}


def test_several_bundles(output: Path) -> None:
    write(output, "--bundle", "esm", "--bundle", "msgpack")
    assert len(contents(output)) == 5


def test_a_second_time_nothing_changes(output: Path) -> None:
    write(output)
    assert all(line.endswith(" unchanged") for line in write(output).splitlines())


def test_other_files_are_not_overwritten(output: Path) -> None:
    output.mkdir(parents=True)
    (output / "socket.io.js").write_text("my own")
    (output / "app.js").write_text("my app")
    with pytest.raises(
        CommandError, match=r"another content: \S+socket\.io\.js\. Nothing.*--force"
    ):
        write(output)
    assert set(contents(output)) == {"socket.io.js", "app.js"}
    write(output, "--bundle", "esm")
    write(output, "--force")
    assert contents(output)["socket.io.js"] == content_of("socket.io.js")
    assert contents(output)["app.js"] == b"my app"


def test_no_such_bundle(output: Path) -> None:
    with pytest.raises(CommandError, match=r"invalid choice: 'slim'.*msgpack"):
        write(output, "--bundle", "slim")


def test_no_output() -> None:
    with pytest.raises(CommandError, match="--output"):
        call_command("socketio_client")


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_where_nothing_can_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        write(tmp_path / place)


def test_not_installed(settings: Any, output: Path) -> None:
    uninstall(settings)
    with pytest.raises(CommandError, match=r'socket\.io\.min\.js is not.*run "make client"'):
        write(output)
    assert not output.exists()


def test_a_folder_of_bundles_without_the_licence(installed: Path, output: Path) -> None:
    (installed / LICENSE).unlink()
    write(output)
    assert set(contents(output)) == FILES - {LICENSE}


def test_hashed_static_files(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = MANIFEST
    settings.STATIC_ROOT = tmp_path / "collected"
    call_command("collectstatic", interactive=False, verbosity=0)
    collected = tmp_path / "collected" / FOLDER
    for bundle, name in BUNDLES.items():
        tag = Template(f'{{% load socketio %}}{{% socketio_client "{bundle}" %}}').render(Context())
        stem = name.removesuffix(".js")
        (hashed,) = (path for path in collected.glob(f"{stem}.*.js") if path.name in tag)
        assert f"/{FOLDER}/{hashed.name}" in tag
        source_map = hashed.read_text().partition("sourceMappingURL=")[2].split()[0]
        assert source_map != f"{name}.map"
        assert (collected / source_map).is_file()
