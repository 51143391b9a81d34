"""The rules of the house that no linter knows; docs/architecture.md explains them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

import django_socketio

PACKAGE = Path(django_socketio.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
ARCHITECTURE = PACKAGE.parent / "docs" / "architecture.md"

MOST_LINES, MOST_METHODS = 400, 25
# The public face of a socket: DESIGN's names are its methods.
LARGE_CLASSES = {"SocketIOConsumer"}
# Names of other libraries that begin with an underscore, and are public all the same.
FOREIGN = {"_meta", "_replace", "_getframe", "_max_workers"}
# These may be imported before Django is set up, or need what may not be installed.
LATE_IMPORTS = {
    "asgi.py": "asgi.py is imported before Django is set up",
    "apps.py": "apps.py is imported while Django is set up",
    "server/shutdown.py": "twisted is there on daphne only",
    "stats/rows.py": "a project without a database has no models of ours",
    "admin_pages/official.py": "the admin may not be installed",
    "admin_pages/charts.py": "pygal is an extra",
}

each_file = pytest.mark.parametrize(
    "path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES]
)


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def room(path: Path) -> str:
    """The folder below the package that a file lies in, "" for the package itself."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


@cache
def names_of(name: str) -> frozenset[str]:
    """Every name that the files of a room define or set."""

    def names() -> Iterator[str]:
        for path in FILES:
            for node in ast.walk(parse(path)) if room(path) == name else ():
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    yield node.name
                elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    yield node.attr
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value  # slots

    return frozenset(names())


@each_file
def test_files_are_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


@each_file
def test_classes_are_small(path: Path) -> None:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ClassDef) and node.name not in LARGE_CLASSES:
            methods = {
                item.name
                for item in node.body
                if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))
            }
            assert len(methods) <= MOST_METHODS, node.name


def test_large_classes_are_explained() -> None:
    text = ARCHITECTURE.read_text()
    assert all(f"`{name}`" in text for name in LARGE_CLASSES)


@each_file
def test_private_names_stay_in_their_room(path: Path) -> None:
    known = names_of(room(path)) | FOREIGN
    reached = []
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Attribute):
            mine = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            names = [] if mine else [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        else:
            continue
        reached += [
            f"{path.name}:{node.lineno} {name}"
            for name in names
            if name.startswith("_") and not name.startswith("__") and name not in known
        ]
    assert reached == []


@each_file
def test_imports_stand_at_the_top(path: Path) -> None:
    """Inside a function they would hide a circle."""
    if str(path.relative_to(PACKAGE)) in LATE_IMPORTS:
        return
    late = [
        ast.unparse(inner)
        for node in ast.walk(parse(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    ]
    assert late == []


def test_no_module_imports_itself_in_a_circle() -> None:
    """Imports for types count, too. What is left when the leaves are taken off is a circle."""
    graph = grimp.build_graph("django_socketio", exclude_type_checking_imports=False)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while leaves := [module for module, imported in imports.items() if not imported & set(imports)]:
        for module in leaves:
            del imports[module]
    assert imports == {}
