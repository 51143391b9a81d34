"""docs/options.md: a row for each option of npm's server; its settings and tests are there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from django_socketio.conf import Settings

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "options.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| Node")
]
TYPES = {
    "engine.io/build/server.d.ts": ("AttachOptions", "ServerOptions"),
    "socket.io/dist/index.d.ts": ("ServerOptions",),
    "@types/cors/index.d.ts": ("CorsOptions",),
}


def options_of_node() -> set[str]:
    found = set()
    for name, interfaces in TYPES.items():
        path = ROOT / "tests" / "node_modules" / name
        if not path.is_file():
            pytest.skip(f"{name} is not installed")
        for interface in interfaces:
            block = rf"^( *)(?:export )?interface {interface}\b[^\n]*\n(.*?)^\1}}"
            match = re.search(block, path.read_text(), re.MULTILINE | re.DOTALL)
            assert match is not None, interface
            indent, body = match.groups()
            found |= set(re.findall(rf"^{indent} {{4}}(\w+)\??:", body, re.MULTILINE))
    return found


def test_each_option_of_node_has_a_row() -> None:
    wanted = options_of_node()
    assert {"wsEngine", "cleanupEmptyChildNamespaces", "exposedHeaders"} <= wanted
    named = {name for row in ROWS for name in re.findall(r"`([\w.]+)`", row[0])}
    assert wanted - named == {"cors"}  # a table of its own


def test_settings_and_tests_that_there_are() -> None:
    settings = {field.name.upper() for field in dataclasses.fields(Settings)}
    parts = {"LEVEL", "THRESHOLD"}
    parts |= {"NAME", "DOMAIN", "MAX_AGE", "EXPIRES", "HTTPONLY", "SECURE", "SAMESITE"}
    parts |= {"PRIORITY", "PARTITIONED"}
    named = {name for row in ROWS for name in re.findall(r"`([A-Z][A-Z_0-9]+)`", row[1])}
    assert named - parts <= settings
    tests = [name for row in ROWS for cell in row[2:] for name in re.findall(r"`(.+?)`", cell)]
    assert len(tests) > 30
    assert [name for name in tests if not (ROOT / "tests" / name).exists()] == []
