"""What a server does unless it is told otherwise."""

from pathlib import Path

from texswarm_server.config import ServerConfig


def test_the_numbers_are_those_of_the_product() -> None:
    config = ServerConfig(data=Path())
    assert (config.heartbeat_s, config.dead_after_s) == (10, 25)
    assert (config.grace_s, config.presence_grace_s) == (3 * 3600, 30)
    assert (config.access_ttl_s, config.refresh_idle_s) == (3600, 30 * 24 * 3600)
