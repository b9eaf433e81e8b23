"""What a start has loaded when its window can be seen: what it shows, and nothing that can come later.

Looked at in a process of its own; this one has long since loaded everything.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

START: Final = """
import asyncio, dataclasses, json, sys
from pathlib import Path
from texswarm_desktop.app import run

def note():
    ours = [module for name, module in sys.modules.items() if name.startswith("texswarm_")]
    made = {one for module in ours for one in vars(module).values() if dataclasses.is_dataclass(one)}
    print(json.dumps({"modules": list(sys.modules), "dataclasses": len(made)}), flush=True)

async def look(desktop):
    desktop.window.painted.connect(note)
    while desktop.editor is None or not desktop._seen.is_set():
        await asyncio.sleep(0.01)
    desktop.window.close()

sys.exit(run(target=None, profile_dir=Path(sys.argv[1]), companion=look))
"""
#: Packages and modules, each with all below it.
LATER: Final = {
    "PySide6.QtNetwork",
    "anyio",
    "cryptography",
    "importlib.metadata",
    "keyring",
    "pathspec",
    "segno",
    "texswarm_desktop.client.transport",
    "texswarm_desktop.core.doctor",
    "texswarm_desktop.core.nearby",
    "texswarm_desktop.doorbell",
    "texswarm_desktop.services.coming_together",
    "texswarm_desktop.services.embedded_server",
    "texswarm_desktop.ui.dialogs",
    "texswarm_desktop.ui.link_popover",
    "texswarm_desktop.ui.start_page",
    "texswarm_desktop.viewmodels.two_histories",
    "texswarm_server.config",
    "watchfiles",
    "websockets",
    "zeroconf",
}
#: Each takes half a millisecond to make; a Struct of msgspec takes a fortieth of that.
MOST_DATACLASSES: Final = 20


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Look at the second start: the first makes the small paper, and what that needs."""
    profile = tmp_path_factory.mktemp("profile")
    start(profile)
    return start(profile)


def start(profile: Path) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-c", START, str(profile)],
        check=False, capture_output=True, text=True, timeout=60, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    if answer.returncode:
        pytest.fail(answer.stderr, pytrace=False)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("name", sorted(LATER))
def test_is_not_loaded_before_the_window_can_be_seen(seen: dict[str, Any], name: str) -> None:
    assert [one for one in seen["modules"] if f"{one}.".startswith(f"{name}.")] == []


def test_few_values_are_made_the_slow_way(seen: dict[str, Any]) -> None:
    assert seen["dataclasses"] <= MOST_DATACLASSES
