"""`{% socketio_client %}`: the script tag of the client, ours or the project's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils.functional import SimpleLazyObject, empty

from tests.harness.bundles import ONLY_DIRS, install, uninstall


def render(tag: str, **context: Any) -> str:
    context = {"where": "lib/client.js", **context}
    return Template("{% load socketio %}" + tag).render(Context(context))


def parts(tag: str) -> tuple[str, str, str]:
    """An element's opening tag, content and closing tag."""
    opening, end, rest = tag.partition(">")
    content, begin, closing = rest.partition("</")
    return opening + end, content, begin + closing


@pytest.fixture
def static_folder(tmp_path: Path, settings: Any) -> Path:
    settings.STATICFILES_FINDERS = ONLY_DIRS
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


@pytest.mark.parametrize(
    "tag",
    ["{% socketio_client %}", '{% socketio_client "msgpack" %}', '{% socketio_client "esm" %}'],
)
def test_without_a_client_it_says_what_to_do(settings: Any, tag: str) -> None:
    uninstall(settings)
    with pytest.raises(TemplateSyntaxError, match=r'run "make client".* npm package'):
        render(tag)


def test_what_is_neither_a_bundle_nor_a_file(static_folder: Path) -> None:
    with pytest.raises(TemplateSyntaxError, match=r"no static file msgpak.*default, debug, msg"):
        render('{% socketio_client "msgpak" %}')


@pytest.fixture
def installed(settings: Any, tmp_path: Path) -> Path:
    return install(settings, tmp_path / "client")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("", "socket.io.min.js"),
        ('"default"', "socket.io.min.js"),
        ('"debug"', "socket.io.js"),
        ('"msgpack"', "socket.io.msgpack.min.js"),
        ('bundle="msgpack"', "socket.io.msgpack.min.js"),
    ],
)
def test_the_bundles_that_the_package_brings(installed: Path, arguments: str, name: str) -> None:
    url = f"/static/django_socketio/client/{name}"
    assert render(f"{{% socketio_client {arguments} %}}") == f'<script src="{url}"></script>'


def test_a_copy_of_the_project_s_own_goes_first(
    installed: Path, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "own" / "vendor").mkdir(parents=True)
    (tmp_path / "own" / "vendor" / "socket.io.msgpack.min.js").write_text("// client")
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, tmp_path / "own"]
    own = '<script src="/static/vendor/socket.io.msgpack.min.js"></script>'
    assert render('{% socketio_client "msgpack" %}') == own
    assert "/static/django_socketio/client/" in render("{% socketio_client %}")


def test_the_module_is_put_into_an_import_map(installed: Path) -> None:
    tag = render('{% socketio_client "esm" %}')
    opening, content, closing = parts(tag)
    assert (opening, closing) == ('<script type="importmap">', "</script>")
    url = "/static/django_socketio/client/socket.io.esm.min.js"
    assert json.loads(content) == {"imports": {"socket.io-client": url}}


@pytest.mark.parametrize("bundle", ["default", "esm"])
def test_everything_is_escaped(installed: Path, settings: Any, bundle: str) -> None:
    settings.STATIC_URL = "https://cdn.example/</script>\"'&/"
    opening, content, closing = parts(
        render(f'{{% socketio_client "{bundle}" nonce=evil %}}', evil="\"><script>'&")
    )
    assert closing == "</script>"
    assert not set(content) & set("<>&")
    assert 'nonce="&quot;&gt;&lt;script&gt;&#x27;&amp;"' in opening
    if bundle == "esm":
        (url,) = json.loads(content)["imports"].values()
        assert url.startswith(settings.STATIC_URL)


@pytest.mark.parametrize("bundle", ["default", "esm"])
def test_the_nonce_of_a_policy(installed: Path, bundle: str) -> None:
    tag = f'{{% socketio_client "{bundle}" nonce=nonce %}}'
    assert parts(render(tag, nonce="r4nd0m"))[0].endswith(' nonce="r4nd0m">')
    assert "nonce" not in render(tag, nonce=None) + render(tag, nonce="") + render(tag)


class LazyNonce(SimpleLazyObject):
    """As Django's own from version 6 on: false until it is used."""

    def __init__(self) -> None:
        super().__init__(lambda: "made now")

    def __bool__(self) -> bool:
        return self._wrapped is not empty


def test_a_nonce_that_is_made_when_it_is_used(installed: Path) -> None:
    tag = render("{% socketio_client nonce=nonce %}", nonce=LazyNonce())
    assert tag.endswith(' nonce="made now"></script>')
