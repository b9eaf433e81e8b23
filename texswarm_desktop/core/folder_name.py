"""The name of a project's folder, made from its title so that every system accepts it."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_MAX_BYTES: Final = 100
_FALLBACK: Final = "Project"
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
_INVISIBLE: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# What Windows keeps for devices, with any ending.
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])(?=\.|$)", re.IGNORECASE)


def folder_name(title: str, taken: Iterable[str] = ()) -> str:
    """Return a folder name for `title`, with a number behind it when it is taken, also in other letter case."""
    wanted = _safe(title)
    seen = {_folded(name) for name in taken}
    name, number = wanted, 2
    while _folded(name) in seen:
        name = f"{wanted} {number}"
        number += 1
    return name


def _safe(title: str) -> str:
    text = unicodedata.normalize("NFC", title)
    text = _FORBIDDEN.sub(" ", text)
    text = "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE)
    text = " ".join(text.split()).lstrip(".-~ ")
    text = text.encode()[:_MAX_BYTES].decode(errors="ignore").rstrip(". ")
    return _DEVICE.sub(r"\1_", text, count=1) if _DEVICE.match(text) else text or _FALLBACK


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
