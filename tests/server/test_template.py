"""`{% socketio_client %}`: the script tag of the client that the project installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template, TemplateSyntaxError


def render(tag: str) -> str:
    return Template("{% load socketio %}" + tag).render(Context({"where": "lib/client.js"}))


@pytest.fixture
def static_folder(tmp_path: Path, settings: Any) -> Path:
    settings.STATICFILES_DIRS = [tmp_path]
    return tmp_path


@pytest.mark.parametrize(
    "path",
    [
        "socket.io.min.js",
        "vendor/socket.io.min.js",
        "socket.io/socket.io.min.js",
        "socket.io-client/dist/socket.io.min.js",
        "js/socket.io.min.js",
    ],
)
def test_the_client_is_found_in_the_usual_places(static_folder: Path, path: str) -> None:
    file = static_folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("// client")
    assert render("{% socketio_client %}") == f'<script src="/static/{path}"></script>'


@pytest.mark.parametrize(
    "tag", ['{% socketio_client "lib/client.js" %}', "{% socketio_client where %}"]
)
def test_a_place_of_ones_own(static_folder: Path, tag: str) -> None:
    (static_folder / "lib").mkdir()
    (static_folder / "lib" / "client.js").write_text("// client")
    assert render(tag) == '<script src="/static/lib/client.js"></script>'


def test_the_storage_gives_the_address(static_folder: Path, settings: Any) -> None:
    settings.STATIC_URL = "https://cdn.example/assets/"
    (static_folder / "socket.io.min.js").write_text("// client")
    assert 'src="https://cdn.example/assets/socket.io.min.js"' in render("{% socketio_client %}")


@pytest.mark.parametrize("tag", ["{% socketio_client %}", '{% socketio_client "lib/client.js" %}'])
def test_without_a_client_it_says_what_to_do(static_folder: Path, tag: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"npm package socket\.io-client"):
        render(tag)
