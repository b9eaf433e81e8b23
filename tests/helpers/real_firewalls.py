"""The firewalls that people have, really running on a host of the lab, with settings of the test's own.

Each sees its folders of the system in a mount namespace of its own, so nothing of this machine's settings is read twice
or changed; its rules are in the host's network namespace and go with it.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.message_bus import bus_config
from tests.helpers.network_lab import LabHost

_LIMIT_S = 30.0


class RealFirewall:
    """One that is active. `root`: a folder that looks as the system's root would to who asks for firewalls there."""

    def __init__(self, host: LabHost, root: Path, folders: tuple[str, ...]) -> None:
        self.host, self.root = host, root
        self._binds = " && ".join(f"mount --bind {root}/{folder} /{folder}" for folder in folders)

    def run(self, command: str) -> str:
        """Type something on the host, as administrator."""
        return self.host.run(*self.inside(command), timeout_s=_LIMIT_S)

    def inside(self, command: str) -> tuple[str, ...]:
        """Return the command line that does so."""
        return "unshare", "--mount", "sh", "-ec", f"{self._binds}\n{command}"


@contextmanager
def ufw(host: LabHost, folder: Path) -> Iterator[RealFirewall]:
    """Yield an active ufw, as it is without a rule of one's own."""
    _needs("ufw", "iptables", "unshare")
    shutil.copytree("/etc/ufw", folder / "etc/ufw")
    (folder / "run").mkdir()
    firewall = RealFirewall(host, folder, ("etc/ufw", "run"))
    try:
        firewall.run("ufw --force enable")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"ufw does not work here: {error.stderr.strip()}")
    yield firewall


@contextmanager
def firewalld(host: LabHost, folder: Path) -> Iterator[RealFirewall]:
    """Yield an active firewalld, as it is without a rule of one's own, and the message bus it needs."""
    _needs("firewalld", "firewall-cmd", "dbus-daemon", "unshare")
    shutil.copytree("/etc/firewalld", folder / "etc/firewalld")
    (folder / "run/dbus").mkdir(parents=True)
    firewall = RealFirewall(host, folder, ("etc/firewalld", "run"))
    bus = host.start(
        *firewall.inside(_BUS.format(config=bus_config(folder, Path("/run/dbus/system_bus_socket"), "system"))),
        stdout=-1,
    )
    assert bus.stdout is not None
    assert bus.stdout.readline(), "the message bus is up"
    host.start(*firewall.inside("exec firewalld --nofork --nopid"), stderr=subprocess.DEVNULL)
    firewall.run("until firewall-cmd --state >/dev/null 2>&1; do sleep 0.1; done")
    yield firewall


_BUS = "exec dbus-daemon --config-file={config} --nofork --nopidfile --print-address"


def _needs(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
