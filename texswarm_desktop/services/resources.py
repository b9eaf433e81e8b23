"""Finds the files that are shipped beside the code: icons, themes, the welcome project. No Qt."""

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_PLACES: Final = (_PACKAGE / "resources", _PACKAGE.parent / "resources")


def resource(name: str) -> Path:
    """Return the path of a shipped file or folder: inside the package when installed, beside it in a checkout."""
    installed, checkout = (place / name for place in _PLACES)
    return installed if installed.exists() else checkout
