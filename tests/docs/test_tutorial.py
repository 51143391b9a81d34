"""docs/tutorial.md, done word for word: each file written, each command run, each page used."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.harness import node
from tests.harness.processes import Process
from tests.harness.programs import find_chromium
from tests.harness.waiting import until

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(?:# |<!-- )(\S+?)(, at the end)?(?: -->)?\n")


class Block(NamedTuple):
    language: str
    text: str


BLOCKS = [Block(*found) for found in BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text())]


class Reader:
    """Somebody who follows the tutorial in a folder."""

    def __init__(self, folder: Path, package: Path) -> None:
        self.folder = folder
        self._package = package
        self.env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DJANGO", "PYTHON", "VIRTUAL_ENV"))
        }

    def write(self, block: Block) -> None:
        found = FILE.match(block.text)
        assert found, block.text
        path = self.folder / found[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if found[2] else "w") as file:
            file.write(block.text)

    def run(self, command: str) -> str:
        if command.startswith(". venv/bin/activate"):
            self.env["PATH"] = f"{self.folder / 'venv' / 'bin'}{os.pathsep}{self.env['PATH']}"
            return ""
        # The package of this checkout, not the one that is published.
        command = command.replace("channels-socketio", str(self._package))
        if command.startswith("python3 "):
            command = command.replace("python3", sys.executable)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"
        return done.stdout

    def serve(self, command: str) -> tuple[Process, str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            host, port = free.getsockname()
        address = f"{host}:{port}"
        # A process inherits what pytest-django has set.
        words = ["env", "--unset=DJANGO_SETTINGS_MODULE", "bash", "-c", f"exec {command} {address}"]
        process = Process(words, self.env, self.folder)

        def answers() -> bool:
            assert process.running, process.log
            with socket.socket() as client:
                return client.connect_ex((host, port)) == 0

        until(answers, f"{command} to listen", deadline=60)
        return process, f"http://{address}"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package as its source distribution has it: with the client, without what tests leave."""
    folder = tmp_path / "package"
    folder.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "django_socketio", folder / "django_socketio", ignore=ignored)
    client = folder / "django_socketio" / "static" / "django_socketio" / "client"
    client.mkdir(exist_ok=True)
    for bundle in (node.PACKAGES / "socket.io-client" / "dist").glob("*.js*"):
        shutil.copy(bundle, client)
    return folder


@pytest.mark.matrix  # a minute, most of it for pip
@pytest.mark.node
@pytest.mark.browser
def test_word_for_word(tmp_path: Path, package: Path, node_runner: node.Runner) -> None:
    folder = tmp_path / "mysite"
    folder.mkdir()
    reader = Reader(folder, package)
    visits = iter(["vote_in_two_windows", "add_a_choice"])
    seen = []
    for block in BLOCKS:
        if block.language != "console":
            reader.write(block)
            continue
        for line in block.text.splitlines():
            command = line.removeprefix("$ ")
            if not command.startswith("python manage.py runserver"):
                output = reader.run(command)
                if command == "python manage.py test":
                    assert re.search(r"^Ran [1-9]\d* tests", output, re.MULTILINE), output
                continue
            process, url = reader.serve(command)
            try:
                chromium = find_chromium()
                seen.append(
                    node_runner.run(next(visits), url, chromium=chromium, password="secret")
                )
            finally:
                process.kill()
    assert seen == [["Tea: 2", "Coffee: 0"], ["Tea: 2", "Coffee: 0", "Cocoa: 0"]]
