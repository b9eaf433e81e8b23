"""How a file is read that somebody writes to at the same time."""

from texswarm_desktop.services.disk_state import read_steadily
from texswarm_desktop.services.figure_record import Stamp


def test_what_is_being_saved_is_read_once_more() -> None:
    """Seed 301436 of the simulated mirror: half of a save, under the time of the one before it, had stood for long."""
    stamps = [Stamp(1, 9, 1), Stamp(1, 4, 2), Stamp(1, 4, 2)]
    contents = [b"half", b"whole"]
    assert read_steadily(lambda: stamps.pop(0), lambda: contents.pop(0)) == (Stamp(1, 4, 2), b"whole")


def test_what_never_stands_still_is_as_it_was_a_moment_ago() -> None:
    ticks = iter(range(100))
    stamp, data = read_steadily(lambda: Stamp(1, 4, next(ticks)), lambda: b"more")
    assert (stamp.modified_ns, data) == (2, b"more")
