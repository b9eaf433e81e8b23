"""One thing that was looked at: how it is, and what to do about it. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. PROBLEM: the server does not start, or people cannot work. WARNING: it works, and should not."""

    FINE = "fine"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`subject`: one word; `says`: how it is; `remedy`: what to type or change, empty where nothing is to be done."""

    level: Level
    subject: str
    says: str
    remedy: str = ""


def fine(subject: str, says: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(level=Level.FINE, subject=subject, says=says)


def note(subject: str, says: str, remedy: str = "") -> Finding:
    """Return what an operator may want to know."""
    return Finding(level=Level.NOTE, subject=subject, says=says, remedy=remedy)


def warning(subject: str, says: str, remedy: str) -> Finding:
    """Return what should be changed."""
    return Finding(level=Level.WARNING, subject=subject, says=says, remedy=remedy)


def problem(subject: str, says: str, remedy: str) -> Finding:
    """Return what must be changed."""
    return Finding(level=Level.PROBLEM, subject=subject, says=says, remedy=remedy)
