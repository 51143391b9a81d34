"""Reads the source of modules without importing them, for a system check.

To import a project's asgi.py would make this process one that serves clients.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

# How many modules are read, those that the first one imports among them.
MOST = 100


def mentions(module: str, name: str) -> bool:
    """Return whether ``name`` stands in the source of a module, or of one that it imports.

    Modules of the same top-level package are followed. True where there is no source to read.
    """
    roots = _roots(module.partition(".")[0])
    path = _path_of(module, roots)
    if path is None:
        return True
    waiting, seen = [(module, path)], {path}
    while waiting and len(seen) <= MOST:
        module, path = waiting.pop()
        text = path.read_text(encoding="utf-8", errors="replace")
        if name in text:
            return True
        for other in _imports(text, module, path.name == "__init__.py"):
            found = _path_of(other, roots)
            if found is not None and found not in seen:
                seen.add(found)
                waiting.append((other, found))
    return False


def _roots(package: str) -> dict[str, list[Path]]:
    """Return where the modules of a top-level package are, by its name."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return {}
    if spec is None:
        return {}
    if spec.submodule_search_locations is not None:
        return {package: [Path(place) for place in spec.submodule_search_locations]}
    return {package: [Path(spec.origin or "").with_suffix("")]}


def _path_of(module: str, roots: dict[str, list[Path]]) -> Path | None:
    """Return the source of a module; None if it has none, or belongs to another package."""
    package, *parts = module.split(".")
    for root in roots.get(package, []):
        place = root.joinpath(*parts)
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                return path
    return None


def _imports(text: str, module: str, is_package: bool) -> list[str]:
    """Return the names of the modules that a source imports; some are no modules."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".") if node.level else []
            parents = parts[: len(parts) + is_package - node.level]
            base = ".".join([*parents, *([node.module] if node.module else [])])
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return found
