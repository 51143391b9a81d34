"""The rules of the house that no linter knows; docs/architecture.md explains them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

import django_socketio

PACKAGE = Path(django_socketio.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
ARCHITECTURE = PACKAGE.parent / "docs" / "architecture.md"
# Where the paths in the page begin.
ROOTS = (PACKAGE, PACKAGE.parent)

MOST_LINES, MOST_METHODS = 400, 25
# Larger all the same: the page names each of them under "Exceptions", with the reason.
LARGE_CLASSES = {"SocketIOConsumer"}
# Names of other libraries that begin with an underscore, and are public all the same.
FOREIGN = {"_meta", "_default_manager", "_replace", "_getframe", "_enter_task", "_leave_task"}
# The functions that may import.
LATE_IMPORTS = {
    ("asgi.py", "AuthMiddlewareStack"): "asgi.py is imported before Django is set up",
    ("asgi.py", "SocketIOApplication.__init__"): "the same",
    ("asgi.py", "_Server.__init__"): "the same",
    ("apps.py", "DjangoSocketIOConfig.ready"): "apps.py is imported while Django is set up",
    ("stats/rows.py", "save"): "imported at set-up, before there are models",
    ("server/shutdown.py", "_have_twisted_wait"): "daphne alone brings twisted, and has it loaded",
    ("servers/options.py", "recommended"): "uvicorn is an extra",
    ("management/commands/socketio_server.py", "Command.handle"): "the same",
    ("admin_pages/official.py", "AdminUI._log"): "the admin may not be installed",
    ("admin_pages/charts.py", "is_available"): "pygal is an extra",
    ("admin_pages/charts.py", "draw"): "the same",
    ("server/handlers.py", "_typing"): "pydantic is an extra, and large",
}

each_file = pytest.mark.parametrize(
    "path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES]
)


@cache
@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def room(path: Path) -> str:
    """The folder below the package that a file lies in, "" for the package itself."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


@cache
def classes() -> list[ast.ClassDef]:
    nodes = (node for path in FILES for node in ast.walk(parse(path)))
    return [node for node in nodes if isinstance(node, ast.ClassDef)]


def class_nodes(name: str) -> list[ast.ClassDef]:
    """The classes of the package that have a name."""
    return [node for node in classes() if node.name == name]


def count_methods(cls: ast.ClassDef) -> int:
    """How many methods a class has of its own; a property is one, with its setter."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return len({item.name for item in cls.body if isinstance(item, kinds)})


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

    return frozenset(names())


def late_imports(node: ast.AST, scope: tuple[str, ...] = (), inside: bool = False) -> Iterator[str]:
    """The functions that import something, by their qualified names."""
    for child in ast.iter_child_nodes(node):
        if inside and isinstance(child, (ast.Import, ast.ImportFrom)):
            yield ".".join(scope)
        deeper, function = scope, isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            deeper = (*scope, child.name)
        yield from late_imports(child, deeper, inside or function)


def has(cls: str, name: str) -> bool:
    """Whether a class of the package sets an attribute, or inherits from one that does."""
    for node in class_nodes(cls):
        for inner in ast.walk(node):
            stored = isinstance(getattr(inner, "ctx", None), ast.Store)
            if getattr(inner, "name", None) == name or (
                stored and name in (getattr(inner, "attr", None), getattr(inner, "id", None))
            ):
                return True
        if any(isinstance(base, ast.Name) and has(base.id, name) for base in node.bases):
            return True
    return False


@each_file
def test_files_are_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


@each_file
def test_classes_are_small(path: Path) -> None:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ClassDef) and node.name not in LARGE_CLASSES:
            assert count_methods(node) <= MOST_METHODS, node.name


def test_larger_classes_are_explained() -> None:
    """And no class is an exception that needs to be none."""
    exceptions = ARCHITECTURE.read_text().split("## Exceptions\n", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"^- `(\w+)`: ", exceptions, re.MULTILINE)) == LARGE_CLASSES
    for name in LARGE_CLASSES:
        assert max(map(count_methods, class_nodes(name))) > MOST_METHODS


def test_the_page_names_what_there_is() -> None:
    """The files and methods in docs/architecture.md: a page that is not true is worse than none."""
    text = ARCHITECTURE.read_text()
    files = re.findall(r"`((?:\w+/)+\w+\.py)`", text)
    methods = re.findall(r"`([A-Z]\w+)\.(\w+)`", text)
    assert len(files) > 5
    assert len(methods) > 30
    assert [name for name in files if not any((root / name).is_file() for root in ROOTS)] == []
    assert [f"{cls}.{name}" for cls, name in methods if not has(cls, name)] == []


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


def test_imports_stand_at_the_top() -> None:
    """Inside a function they would hide a circle. What is excused and not there fails, too."""
    found = {
        (str(path.relative_to(PACKAGE)), name)
        for path in FILES
        for name in late_imports(parse(path))
    }
    assert found == set(LATE_IMPORTS)


def test_no_module_imports_itself_in_a_circle() -> None:
    """Imports for types count, too. What is left when the leaves are taken off is a circle."""
    graph = grimp.build_graph("django_socketio", exclude_type_checking_imports=False)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while leaves := [module for module, imported in imports.items() if not imported & set(imports)]:
        for module in leaves:
            del imports[module]
    assert imports == {}
