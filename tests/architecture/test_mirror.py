"""Unit tests mirror the packages: one file for a module, found by its name."""

import ast
from pathlib import Path
from typing import Final

from tests.helpers.source_tree import ROOT, Module, modules

UNIT: Final = ROOT / "tests" / "unit"


def test_every_unit_test_stands_where_its_module_does() -> None:
    known = {module.name for module in modules()}
    astray = [path for path in sorted(UNIT.rglob("test_*.py")) if not known & set(_modules_meant_by(path))]
    assert [str(path.relative_to(ROOT)) for path in astray] == []


def test_every_pure_module_that_decides_something_has_unit_tests() -> None:
    tested = {name for path in UNIT.rglob("test_*.py") for name in _modules_meant_by(path)}
    assert [module.name for module in modules() if _decides(module) and module.name not in tested] == []


def test_folders_of_tests_hold_no_package_file() -> None:
    """Test files are imported by path; a package file would give two of them one name."""
    assert [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("__init__.py")] == []


def _modules_meant_by(path: Path) -> list[str]:
    """`unit/server/rooms/test_room.py` means texswarm_server.rooms.room, `unit/core/…` a module of the desktop.

    `test_room_members.py` means `room` as well: a module with much to test may have several files.
    """
    folders = path.relative_to(UNIT).parent.parts
    if folders[:1] == ("server",):
        package = ("texswarm_server", *folders[1:])
    else:
        package = ("texswarm_desktop", *(folders[1:] if folders[:1] == ("desktop",) else folders))
    words = path.stem.removeprefix("test_").split("_")
    return [".".join((*package, "_".join(words[:count]))) for count in range(len(words), 0, -1)]


def _decides(module: Module) -> bool:
    branches = (ast.If, ast.IfExp, ast.Match, ast.For, ast.While, ast.Try, ast.BoolOp, ast.comprehension)
    inside = (node for function in module.functions() for node in ast.walk(function))
    return module.is_pure and not module.is_package and any(isinstance(node, branches) for node in inside)
