"""A file as it looks from outside, and a binary file as it was last seen or written."""

import os

import msgspec

from texswarm_server.document.blob_ref import BlobRef


class Stamp(msgspec.Struct, frozen=True):
    """Tells cheaply whether a file may have been touched."""

    inode: int
    size: int
    modified_ns: int


def stamp_of(status: os.stat_result) -> Stamp:
    """Return how a file looks from outside."""
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


class FigureRecord(msgspec.Struct, frozen=True):
    """A binary file: where it is, what is in it, and how it looked from outside then."""

    path: str
    blob: BlobRef
    stamp: Stamp
