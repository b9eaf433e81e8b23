"""Pure packages decide and do not act: no Qt, asyncio, files, sockets, clock, random source, environment."""

import ast
from collections.abc import Iterator
from typing import Final

from tests.helpers.source_tree import Module, modules

ACTING_MODULES: Final = {
    "PySide6", "qasync", "websockets", "keyring", "platformdirs", "anyio",
    "asyncio", "concurrent", "multiprocessing", "queue", "sched", "signal", "subprocess", "threading",
    "http", "select", "selectors", "socket", "socketserver", "ssl", "urllib.request",
    "fcntl", "fileinput", "glob", "io", "mmap", "os", "shutil", "sqlite3", "tempfile",
    "random", "secrets", "time", "sys",
}  # fmt: skip
# Modules that are half pure: what may be taken from them.
HARMLESS_PARTS: Final = {
    "pathlib": {"PurePath", "PurePosixPath", "PureWindowsPath"},
    "uuid": {"UUID", "NAMESPACE_OID", "uuid3", "uuid5"},
    "datetime": {"UTC", "date", "datetime", "time", "timedelta", "timezone"},
}
ACTING_CALLS: Final = {"open", "input", "print", "breakpoint", "exec", "eval"}
CLOCK_CALLS: Final = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}

# Exceptions, with the reason.
FORGIVEN: Final = {
    ("texswarm_server.document.project_document", "uuid.uuid4"): "a new file's id must never meet another replica's; "
    "pycrdt draws the replica's own id in the same way",
    ("texswarm_server.document.lean_pycrdt", "sys"): "it puts stand-ins among the modules while pycrdt is loaded, and "
    "decides nothing",
}


def test_pure_modules_exist_to_be_looked_at() -> None:
    assert any(module.is_pure for module in modules())


def test_pure_modules_import_nothing_that_acts() -> None:
    assert [found for module in modules() if module.is_pure for found in _acting_imports(module)] == []


def test_pure_modules_call_nothing_that_acts() -> None:
    assert [found for module in modules() if module.is_pure for found in _acting_calls(module)] == []


def test_pure_modules_import_only_pure_modules_of_ours() -> None:
    names = {module.name: module for module in modules()}
    assert [
        f"{module.at(node)} {imported}"
        for module in modules()
        if module.is_pure
        for node, imported, name in module.imports()
        if imported.startswith("texswarm_") and not _is_pure_target(names, imported, name)
    ] == []


def _acting_imports(module: Module) -> Iterator[str]:
    for node, imported, name in module.imports():
        top = imported.partition(".")[0]
        whole = f"{imported}.{name}" if name else imported
        acts = bool({top, imported} & ACTING_MODULES) or (top in HARMLESS_PARTS and name not in HARMLESS_PARTS[top])
        if acts and (module.name, whole) not in FORGIVEN:
            yield f"{module.at(node)} {whole}"


def _acting_calls(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ACTING_CALLS or any(called.endswith(clock) for clock in CLOCK_CALLS):
                yield f"{module.at(node)} {called}"


def _is_pure_target(names: dict[str, Module], imported: str, name: str) -> bool:
    target = names.get(f"{imported}.{name}") or names.get(imported)
    return target is None or target.is_pure
