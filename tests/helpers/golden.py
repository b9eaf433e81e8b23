"""Compares a text with the one that was once looked at and found good; `TEXSWARM_WRITE_GOLDEN=1` writes it anew."""

import os
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).resolve().parents[1] / "golden"


def assert_golden(name: str, text: str) -> None:
    """Fail unless `text` is what stands in `tests/golden/NAME`."""
    path = _FOLDER / name
    if os.environ.get("TEXSWARM_WRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), (
        f"differs from {path.name}: look at it, then TEXSWARM_WRITE_GOLDEN=1"
    )
