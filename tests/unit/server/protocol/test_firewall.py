"""What to type to let others through a firewall."""

import pytest

from texswarm_server.protocol.firewall import MACOS_FIREWALL, opening_command


@pytest.mark.parametrize("firewall", ["ufw", "firewalld", "windows"])
def test_most_go_by_the_port(firewall):
    assert "8091" in opening_command(firewall, 8091)


def test_that_of_macos_goes_by_the_program():
    known = opening_command("macos", 8091, "/opt/my python/bin/python3")
    assert known.startswith(f'sudo {MACOS_FIREWALL} --unblockapp "/opt/my python/bin/python3"\n')
    assert opening_command("macos", 8091).startswith(f'sudo {MACOS_FIREWALL} --unblockapp "$(which python3)"\n')
