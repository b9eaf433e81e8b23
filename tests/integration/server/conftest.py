"""A real server in the test's own loop, and in a process of its own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

Scenario = "Callable[[], Coroutine[Any, Any, None]]"


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    return ServerConfig(data=tmp_path / "data", port=0, name="Test", housekeeping_s=0.05)


@asynccontextmanager
async def running(config: ServerConfig, **changes: Any) -> AsyncIterator[tuple[CollabServer, str, str]]:
    """A server, its address, and an invite that lets anybody create."""
    async with CollabServer(replace(config, **changes)) as server:
        yield server, server.address.url, await server.create_invite("owner")


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an asynchronous scenario and insist that it leaves no task behind."""

    async def checked() -> None:
        await scenario()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(checked())
