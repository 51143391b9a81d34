"""docs/api-table.md: a row for each name of the Node server's API; its tests exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "api-table.md").read_text()
BROADCAST = """
disconnectSockets emit emitWithAck except fetchSockets in serverSideEmit serverSideEmitWithAck
socketsJoin socketsLeave timeout to use
"""
# The headings of https://socket.io/docs/v4/server-api/, by the page's sections.
NAMES = {
    "Server": f"""
    Server connect connection new_namespace engine sockets adapter attach attachApp bind close
    listen of on onconnection path serveClient {BROADCAST}
    """,
    "Namespace": f"adapter name sockets connect connection allSockets local volatile {BROADCAST}",
    "Socket": """
    disconnect disconnecting client conn data handshake id recovered request rooms compress emit
    emitWithAck eventNames except in join leave listenersAny listenersAnyOutgoing offAny
    offAnyOutgoing on onAny onAnyOutgoing once prependAny prependAnyOutgoing removeAllListeners
    removeListener send timeout to use broadcast volatile
    """,
    "Connection": "conn request upgrade packet packetCreate drain heartbeat close",
    "Engine": """
    connection_error headers initial_headers clientsCount generateId handleUpgrade use
    """,
}


def rows(section: str) -> list[list[str]]:
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


@pytest.mark.parametrize("section", NAMES)
def test_each_name_of_node_has_a_row(section: str) -> None:
    cells = " ".join(row[0] for row in rows(section))
    named = re.findall(r"`(?:new )?\"?(\w+)", cells)
    assert set(NAMES[section].split()) - set(named) == set()


@pytest.mark.parametrize("section", NAMES)
def test_each_row_has_a_test_or_says_why_there_is_none(section: str) -> None:
    without = [node for node, here, test in rows(section) if not test and here[:4] != "none"]
    assert without == []


def test_the_tests_exist() -> None:
    named = [name for section in NAMES for row in rows(section) for name in row[2].split("`")[1::2]]
    assert len(named) > 70
    assert [name for name in named if not exists(name)] == []


def exists(name: str) -> bool:
    file, _, test = name.partition("::")
    path = ROOT / "tests" / file
    return path.is_file() and (
        not test or re.search(rf"def {test}\b", path.read_text()) is not None
    )
