"""How values are written by people: times, sizes, counts, choices. Pure."""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

_TIME_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SIZE_UNITS: Final = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})
_OFF: Final = frozenset({"off", "false", "none", "never"})
_ZERO: Final = frozenset({"0", "0s", "0.0"})
_LONGEST_S: Final = 100 * 365 * 86400


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of value. `read` raises ValueError with what was expected; `show` writes what `read` can read.

    `literals`: the types that a configuration file may use beside text.
    """

    metavar: str
    read: Callable[[str], object]
    show: Callable[[object], str] = str
    literals: tuple[type, ...] = ()


def read_time(text: str) -> float:
    """Return seconds from `90`, `30m`, `12h`, `7d` or `2w`; raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s?([smhdw]?)", text.strip())
    seconds = float(match[1]) * _TIME_UNITS_S[match[2] or "s"] if match else 0.0
    if not 0 < seconds <= _LONGEST_S:
        raise ValueError(f"not a time: {text!r}; write 90, 30m, 12h or 7d")
    return seconds


def show_time(seconds: object) -> str:
    """Return a time in the largest unit that divides it."""
    assert isinstance(seconds, int | float)
    unit = next((unit for unit in "dhms" if seconds and seconds % _TIME_UNITS_S[unit] == 0), "s")
    return f"{seconds / _TIME_UNITS_S[unit]:.9f}".rstrip("0").rstrip(".") + unit


def read_size(text: str) -> int:
    """Return bytes from `4096`, `64K`, `256M` or `1GiB`, in powers of 1024; raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,16})\s?([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    size = int(match[1]) * _SIZE_UNITS[match[2].upper()] if match else 0
    if not 0 < size < 2**53:
        raise ValueError(f"not a size: {text!r}; write 4096, 64K, 256M or 1G")
    return size


def show_size(size: object) -> str:
    """Return bytes in the largest unit that divides them."""
    assert isinstance(size, int)
    unit = next(unit for unit in reversed(_SIZE_UNITS) if size % _SIZE_UNITS[unit] == 0)
    return f"{size // _SIZE_UNITS[unit]}{unit}"


def read_port(text: str) -> int:
    """Return a port number; raises ValueError."""
    if not _is_number(text) or int(text) > 65535:
        raise ValueError(f"not a port: {text!r}; write a number up to 65535")
    return int(text)


def read_count(text: str) -> int:
    """Return a number of at least one; raises ValueError."""
    if not _is_number(text) or int(text) < 1:
        raise ValueError(f"not a number: {text!r}; write 1 or more")
    return int(text)


def read_days(text: str) -> float:
    """Return a number of days; raises ValueError."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,9})?", text.strip()) or not float(text):
        raise ValueError(f"not a number of days: {text!r}; write 1 or more")
    return float(text)


def read_switch(text: str) -> bool:
    """Return whether something is on; raises ValueError."""
    if text.strip().lower() not in _YES | _NO:
        raise ValueError(f"neither yes nor no: {text!r}; write true or false")
    return text.strip().lower() in _YES


def read_text(text: str) -> str:
    """Return one line of printable text; raises ValueError."""
    if not text.strip() or not text.isprintable():
        raise ValueError(f"not one line of text: {text!r}")
    return text.strip()


def read_list(text: str) -> tuple[str, ...]:
    """Return what stands between commas."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


def choice_of(names: tuple[str, ...]) -> Kind:
    """Return the kind of value that is one of `names`."""

    def read(text: str) -> str:
        if text.strip().lower() not in names:
            raise ValueError(f"not one of {', '.join(names)}: {text!r}")
        return text.strip().lower()

    return Kind("|".join(names), read)


def or_off(kind: Kind) -> Kind:
    """Return the kind that also takes `off`, which is None."""

    def read(text: str) -> object:
        return None if text.strip().lower() in _OFF else kind.read(text)

    return Kind(kind.metavar, read, lambda value: "off" if value is None else kind.show(value), (*kind.literals, bool))


def or_zero(kind: Kind) -> Kind:
    """Return the kind of time or number that may be nothing at all."""

    def read(text: str) -> object:
        return 0.0 if text.strip().lower() in _OFF | _ZERO else kind.read(text)

    return dataclasses.replace(kind, read=read)


TIME: Final = Kind("TIME", read_time, show_time, (int, float))
SIZE: Final = Kind("SIZE", read_size, show_size, (int,))
PORT: Final = Kind("PORT", read_port, literals=(int,))
COUNT: Final = Kind("N", read_count, literals=(int,))
DAYS: Final = Kind("DAYS", read_days, lambda days: f"{days:g}", (int, float))
SWITCH: Final = Kind("true|false", read_switch, lambda on: "true" if on else "false", (bool,))
TEXT: Final = Kind("TEXT", read_text)
PATH: Final = Kind("FILE", read_text, lambda path: str(PurePath(str(path))))
LIST: Final = Kind("LIST", read_list, lambda items: ",".join(map(str, items)) if isinstance(items, tuple) else "")


def _is_number(text: str) -> bool:
    return text.strip().isascii() and text.strip().isdecimal() and len(text.strip()) < 16
