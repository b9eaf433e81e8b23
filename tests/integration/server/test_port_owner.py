"""Who has a port, and which one is free."""

import os
import socket
from pathlib import Path

import pytest

from texswarm_server.net.port_owner import free_port, port_owner


def test_a_port_of_this_process_is_known_by_its_number() -> None:
    if not Path("/proc/net/tcp").exists():
        pytest.skip("this system does not tell")
    with socket.create_server(("127.0.0.1", 0)) as server:
        owner = port_owner(server.getsockname()[1])

    assert owner is not None
    assert owner.endswith(f"(process {os.getpid()})")


def test_a_port_nobody_has_has_no_owner_and_another_is_offered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        other = free_port("127.0.0.1", taken - 1)

    assert other is not None
    assert other > taken
    assert port_owner(taken) is None


def test_where_nothing_can_be_read_nothing_is_said(tmp_path: Path) -> None:
    assert port_owner(80, tmp_path) is None
