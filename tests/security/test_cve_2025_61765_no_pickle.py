"""Nothing in the package turns data into code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import django_socketio

PACKAGE = Path(django_socketio.__file__).parent
MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "yaml",
}
BUILTINS = {"eval", "exec", "compile", "__import__"}


def dangers(source: str) -> list[str]:
    """What of ``source`` could run what came over the wire."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Name) and node.id in BUILTINS | MODULES:
            found.append(node.id)
        elif isinstance(node, ast.Constant) and node.value in MODULES:
            found.append(f"{node.value!r}")  # for import_module("pickle")
        elif isinstance(node, ast.Attribute) and node.attr in {"loads", "load"}:
            owner = ast.unparse(node.value)
            if owner in MODULES:
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_cve_2025_61765_no_pickle(path: Path) -> None:
    assert dangers(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import os, pickle as p",
        "from pickle import loads",
        "from marshal import loads",
        "import_module('pickle')",
        "eval(text)",
        "exec(text)",
        "__import__(name)",
    ],
)
def test_cve_2025_61765_no_pickle_would_be_found(source: str) -> None:
    assert dangers(source)
