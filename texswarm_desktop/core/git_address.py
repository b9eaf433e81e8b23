"""Which addresses git may be given to clone from: secure transports only, and nothing it could take for an option.

`ext::` runs any program, `file:` and `http:` are not for strangers' addresses. Pure.
"""

import re
from typing import Final

from texswarm_server.protocol.errors import GitAddressError

MAX_CHARS: Final = 2_000

_HOST: Final = r"(?:[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+\])"
_USER: Final = r"[A-Za-z0-9_][\w.+~-]*"
_PATH: Final = r"[^\s\\\x00-\x1f\x7f]+"
_ADDRESSES: Final = (
    re.compile(rf"https://(?:{_USER}(?::[^\s@/]*)?@)?{_HOST}(?::\d+)?/{_PATH}"),
    re.compile(rf"ssh://(?:{_USER}@)?{_HOST}(?::\d+)?/{_PATH}"),
    re.compile(rf"{_USER}@{_HOST}:(?![-:]){_PATH}"),
)
_LOOKS_LIKE_ONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//|:)|[^/\s\\]+@[^/\s\\]+:")


def looks_like_address(text: str) -> bool:
    """Say whether `text` is meant as an address, be it allowed or not, rather than as a file."""
    return _LOOKS_LIKE_ONE.match(text.strip()) is not None


def git_address(text: str) -> str:
    """Return the address in `text`; raises GitAddressError for one that git must not be given."""
    address = text.strip()
    if len(address) > MAX_CHARS or not any(pattern.fullmatch(address) for pattern in _ADDRESSES):
        raise GitAddressError(address[:MAX_CHARS])
    return address


def repository_name(address: str) -> str:
    """Return the last part of an address, which is what a clone is called."""
    last = re.split(r"[/:]", address.strip().rstrip("/"))[-1]
    return last.removesuffix(".git")
