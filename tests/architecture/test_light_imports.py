"""What an import costs: shared values open no socket, and nothing without a window brings Qt.

Each look is taken in a fresh interpreter; this one has long since loaded everything.
"""

import json
import subprocess
import sys
from typing import Final

import pytest

from tests.helpers.source_tree import modules

QT: Final = {"PySide6", "shiboken6", "qasync"}
LOOK: Final = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(list(sys.modules)))
"""
WINDOWLESS: Final = (
    "texswarm_server",
    "texswarm_desktop.core",
    "texswarm_desktop.client",
    "texswarm_desktop.services",
    "texswarm_desktop.sync",
    "texswarm_desktop.transfer",
)


def test_the_protocol_is_values_only() -> None:
    loaded = _loaded_by(_names_under("texswarm_server.protocol"))
    assert loaded & {*QT, "asyncio", "anyio", "pycrdt", "socket", "sqlite3", "ssl", "threading", "websockets"} == set()


def test_the_document_brings_no_server_database_or_qt() -> None:
    loaded = _loaded_by(["texswarm_server.protocol", *_names_under("texswarm_server.document")])
    heavy = {"anyio", "asyncio.base_events", "http.server", "importlib.metadata", "socketserver", "sqlite3", "ssl"}
    assert loaded & {*QT, *heavy, "websockets"} == set()


def test_the_document_knows_nothing_above_it() -> None:
    loaded = {name for name in _loaded_by(_names_under("texswarm_server.document")) if name.startswith("texswarm_")}
    below = ("texswarm_server.document", "texswarm_server.protocol")
    assert {name for name in loaded if name != "texswarm_server" and not name.startswith(below)} == set()


@pytest.mark.parametrize("package", WINDOWLESS)
def test_what_has_no_window_brings_no_qt(package: str) -> None:
    assert _loaded_by(_names_under(package)) & QT == set()


def test_the_server_brings_nothing_of_the_desktop() -> None:
    assert "texswarm_desktop" not in _loaded_by(_names_under("texswarm_server"))


def _names_under(package: str) -> list[str]:
    """Name a package's modules, without the programs: importing `__main__` may start one."""
    found = [module.name for module in modules() if f"{module.name}.".startswith(f"{package}.")]
    return [name for name in found if not name.endswith("__main__")]


def _loaded_by(names: list[str]) -> set[str]:
    """Import modules in a new interpreter and return the names of all that it then holds."""
    answer = subprocess.run(
        [sys.executable, "-c", LOOK, *names], check=False, capture_output=True, text=True, timeout=60
    )
    if answer.returncode:
        pytest.fail(answer.stderr, pytrace=False)
    return set(json.loads(answer.stdout))
