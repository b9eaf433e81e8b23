"""A server as a process: what it says about the system it runs on."""

import logging
from pathlib import Path

import pytest

from texswarm_server.config import ServerConfig
from texswarm_server.serving import _look_at_limits

CONFIG = ServerConfig(data=Path("data"), max_connections=1000, max_unauthenticated=100)


@pytest.mark.expects_log
def test_a_system_that_allows_too_few_files_is_named(caplog: pytest.LogCaptureFixture) -> None:
    _look_at_limits(CONFIG, 1024)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("files", [None, 100_000])
def test_a_system_that_allows_enough_is_not(files: int | None, caplog: pytest.LogCaptureFixture) -> None:
    _look_at_limits(CONFIG, files)
    assert caplog.records == []
