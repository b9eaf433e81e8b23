"""A firewall is known by its files, and that of macOS by its own word."""

import pytest

from texswarm_server.active_firewall import active_firewall
from texswarm_server.protocol.firewall import MACOS_FIREWALL


def test_none_where_there_are_no_files_of_one(tmp_path):
    assert active_firewall(tmp_path) is None


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("echo 'Firewall is enabled. (State = 1)'", "macos"),
        ("echo 'Firewall is disabled. (State = 0)'", None),
        ("exit 1", "macos"),
    ],
)
def test_that_of_macos_is_asked_whether_it_is_on(tmp_path, says, found):
    program = tmp_path / MACOS_FIREWALL.lstrip("/")
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\n[ "$1" = --getglobalstate ] || exit 2\n{says}\n')
    program.chmod(0o755)
    assert active_firewall(tmp_path) == found
