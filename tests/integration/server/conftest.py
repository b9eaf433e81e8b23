"""A real server in the test's own loop."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass
class Place:
    """A running server: where it is, and an invite with which anybody may come in and create."""

    server: CollabServer
    url: str
    host_invite: str


@dataclass
class Premises:
    """Starts servers on one data folder, one after the other."""

    config: ServerConfig

    @asynccontextmanager
    async def running(self, **changes: Any) -> AsyncIterator[Place]:
        options = {name: changes.pop(name) for name in ("wall_clock", "random") if name in changes}
        async with CollabServer(replace(self.config, **changes), **options) as server:
            yield Place(server, server.address.url, await server.create_invite("owner"))


@pytest.fixture
def premises(tmp_path: Path) -> Premises:
    return Premises(ServerConfig(data=tmp_path / "data", port=0, name="Test", housekeeping_s=0.02))
