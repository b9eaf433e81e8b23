"""What a server writes into its log: one event a line, for people or for programs.

An event has a name that never varies, and fields: `_logger.info("connection closed", extra=fields(code=1000))`. Fields
are ids, numbers, codes and addresses; never a secret, a name somebody chose, or text of a document. What an error of
someone else's says may hold any of these, so of such an error only its kind is written, and where it arose.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType
from typing import IO, Any, Final, Literal

from texswarm_server.protocol.errors import TexSwarmError

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

_FIELDS: Final = "texswarm_fields"
_OUR_PACKAGE: Final = "texswarm_server."
_MOST_FRAMES: Final = 8
_SPECIAL: Final = re.compile(r'[ "=\\]')
_FOREIGN_LEVELS: Final = {"websockets": logging.ERROR, "asyncio": logging.WARNING}


def fields(**values: object) -> dict[str, Mapping[str, object]]:
    """Return the `extra` of an event; values that are None are left out."""
    return {_FIELDS: {name: value for name, value in values.items() if value is not None}}


def set_up(log_format: LogFormat = "text", level: LogLevel = "info", stream: IO[str] | None = None) -> None:
    """Write events of this level and above to `stream` (standard error), of libraries errors only."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    _leave_out_what_no_line_tells()
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name, least in _FOREIGN_LEVELS.items():
        logging.getLogger(name).setLevel(least)


def _leave_out_what_no_line_tells() -> None:
    """Threads, processes and places in the source cost more to find out than a line to write."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - the documented way


class JsonLines(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `event`, and the event's fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps(dict(_parts(record)), default=str)


class TextLines(logging.Formatter):
    """Time, level, logger and event, then `name=value` for each field; JSON strings where a value has spaces."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        parts = dict(_parts(record))
        head = [str(parts.pop(name)) for name in ("time", "level", "logger", "event")]
        head[-1] = _on_one_line(head[-1])
        return " ".join([*head, *(f"{name}={_value(value)}" for name, value in parts.items())])


def _parts(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    yield "time", datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    yield "level", record.levelname.lower()
    yield "logger", record.name.removeprefix(_OUR_PACKAGE)
    yield "event", record.getMessage()
    yield from getattr(record, _FIELDS, {}).items()
    if record.exc_info and record.exc_info[1] is not None:
        yield "error", _error(record.exc_info[1])
        yield "at", _frames(record.exc_info[2])


def _error(error: BaseException) -> str:
    kind = type(error).__name__
    return f"{kind}: {error}" if isinstance(error, TexSwarmError) else kind


def _frames(trace: TracebackType | None) -> str:
    """Return where an error arose, the innermost place first; without the values that were there."""
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _value(value: Any) -> str:
    text = str(value)
    is_plain = text and text.isprintable() and not _SPECIAL.search(text)
    return text if is_plain else json.dumps(text)


def _on_one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)[1:-1]
