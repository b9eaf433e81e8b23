"""Collects what our packages say at WARNING or above, so that a test that did not expect it can be failed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# asyncio speaks at ERROR when a task failed and nobody looked; its warnings are about slow machines.
WATCHED: Final = {"texswarm_desktop": logging.WARNING, "texswarm_server": logging.WARNING, "asyncio": logging.ERROR}


class LogWatch(logging.Handler):
    """Holds the worrying records of the watched loggers, as lines, in the order they came."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= WATCHED[record.name.partition(".")[0]]:
            self.lines.append(self.format(record))


@contextmanager
def watching_logs() -> Iterator[LogWatch]:
    """Watch while the block runs."""
    watch = LogWatch()
    for name in WATCHED:
        logging.getLogger(name).addHandler(watch)
    try:
        yield watch
    finally:
        for name in WATCHED:
            logging.getLogger(name).removeHandler(watch)
