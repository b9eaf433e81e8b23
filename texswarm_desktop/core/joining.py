"""What becomes of a folder that is to be kept the same as a document on a server. Pure.

Two histories are never mixed: where both the folder and the document hold something and do not come from one origin,
somebody has to choose which of them is to be in the folder. Of one origin are a project and a copy of it that became
another document: they have a history in common, so that they can be merged, if somebody says so.
"""

from enum import Enum

import msgspec


class Road(Enum):
    """How a folder and a document come together."""

    GO_ON = "go_on"
    """They are one document with one history: what either side lacks is exchanged."""
    MERGE = "merge"
    """They are two documents of one origin: the folder belongs to that of the server now, with what both hold."""
    FETCH = "fetch"
    """There is nothing in the folder: the document arrives there."""
    FILL = "fill"
    """There is nothing in the document: the folder's files go there."""
    ASK = "ask"
    """Both hold something, of different histories: somebody must choose."""
    TAKE_THEIRS = "take_theirs"
    """The folder's state is put aside, inside the folder, and the document arrives in its place."""
    KEEP_BOTH = "keep_both"
    """The folder becomes a copy beside, a project of its own, and the document arrives in its place."""


class Choice(Enum):
    """What somebody said in advance about two different histories, or two documents of one origin."""

    ASK = "ask"
    TAKE_THEIRS = "take_theirs"
    KEEP_BOTH = "keep_both"
    MERGE = "merge"
    """Of two different histories nothing can be merged: that is asked about all the same."""


_CHOSEN = {
    Choice.ASK: Road.ASK,
    Choice.TAKE_THEIRS: Road.TAKE_THEIRS,
    Choice.KEEP_BOTH: Road.KEEP_BOTH,
    Choice.MERGE: Road.ASK,
}


class Side(msgspec.Struct, frozen=True):
    """The folder, or the document. `lineage`: the history it holds; None for a folder that is a plain one."""

    lineage: str | None
    is_empty: bool
    document_id: str | None = None


def road_for(here: Side, there: Side, choice: Choice) -> Road:
    """Return how a folder and a document come together. Empty is what holds no text and no figure."""
    if is_of_one_origin(here, there):
        if here.document_id == there.document_id:
            return Road.GO_ON
        return Road.MERGE if choice is Choice.MERGE else _CHOSEN[choice]
    if here.is_empty:
        return Road.FETCH
    if there.is_empty and here.lineage is None:
        return Road.FILL
    return _CHOSEN[choice]


def is_of_one_origin(here: Side, there: Side) -> bool:
    """Say whether both hold one history, as far as they have it in common."""
    return here.lineage is not None and here.lineage == there.lineage


def copy_name(name: str, date: str) -> str:
    """Return what a copy beside the folder `name` is called; `date`: the day it is made."""
    return f"{name} (my copy {date})"
