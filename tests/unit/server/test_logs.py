"""Lines of the log: one event each, whatever stands in it, and nothing that somebody else's error says."""

import json
import logging
import subprocess
import sys
from io import StringIO

import pytest

from texswarm_server.logs import JsonLines, LogFormat, TextLines, fields
from texswarm_server.protocol.errors import RejectedError

SECRET = "txi_secret"


def logged(log_format: LogFormat) -> tuple[logging.Logger, StringIO]:
    """A logger that nobody else knows, and what it writes."""
    stream, logger = StringIO(), logging.Logger("texswarm_server.net.peer", logging.INFO)  # noqa: LOG001 - nobody else may know it
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logger.addHandler(handler)
    return logger, stream


def fail(error: Exception) -> None:
    raise error


def test_a_program_reads_an_event_with_its_fields() -> None:
    logger, stream = logged("json")
    logger.info("connection closed", extra=fields(code=1000, address="::1", nobody=None))
    line = json.loads(stream.getvalue())

    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "logger": "net.peer", "event": "connection closed", "code": 1000, "address": "::1"}


def test_people_read_the_same_on_one_line() -> None:
    logger, stream = logged("text")
    logger.warning("sign-in refused", extra=fields(code="token_invalid", client='a "b"', more="x\ny"))

    assert stream.getvalue().partition(" ")[2] == (
        'warning net.peer sign-in refused code=token_invalid client="a \\"b\\"" more="x\\ny"\n'
    )


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nobody_forges_a_line(log_format: LogFormat) -> None:
    logger, stream = logged(log_format)
    logger.info("said %s", "hello\n2026 error forged", extra=fields(client="a\r\nb\u2028c"))

    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_of_somebody_elses_error_only_its_kind_and_place_are_told(log_format: LogFormat) -> None:
    logger, stream = logged(log_format)
    try:
        fail(ValueError(f"cannot read {SECRET}"))
    except ValueError:
        logger.exception("an order failed")
    line = stream.getvalue()

    assert SECRET not in line
    assert "ValueError" in line
    assert "test_logs.py:" in line


def test_of_our_own_errors_the_words_are_told() -> None:
    logger, stream = logged("json")
    try:
        fail(RejectedError("limit_exceeded", "64 documents"))
    except RejectedError:
        logger.exception("an order failed")

    assert json.loads(stream.getvalue())["error"] == "RejectedError: limit_exceeded: 64 documents"


def test_libraries_are_heard_when_something_is_wrong_only() -> None:
    look = """if True:
        import logging
        from texswarm_server.logs import set_up
        set_up("json", "debug")
        logging.getLogger("websockets.server").debug("> TEXT secret")
        logging.getLogger("asyncio").debug("Using selector")
        logging.getLogger("asyncio").warning("slow")
        logging.getLogger("texswarm_server.app").debug("listening")
    """
    answer = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True, timeout=60)
    assert [json.loads(line)["event"] for line in answer.stderr.splitlines()] == ["slow", "listening"]
