"""Machines on a network of their own: network namespaces joined by virtual cables, made and removed by a test."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pytest

IP: Final = shutil.which("ip")


def _run(*words: str) -> None:
    assert IP is not None
    subprocess.run([IP, *words], check=True, capture_output=True, timeout=20)


class Machine:
    """One namespace. Cables are named by who is at the other end."""

    def __init__(self, name: str) -> None:
        self.namespace = name

    def ip(self, *words: str) -> None:
        """Run `ip` in it."""
        _run("-n", self.namespace, *words)

    def command(self, *words: str) -> list[str]:
        """Return the command line that runs something in it."""
        assert IP is not None
        return [IP, "netns", "exec", self.namespace, *words]


class Lab:
    """Makes machines and cables; `close` removes everything."""

    def __init__(self) -> None:
        self._mark = f"tx{os.urandom(3).hex()}"
        self._machines: list[Machine] = []
        self._cables = 0

    def machine(self) -> Machine:
        """Make a machine without any cable."""
        name = f"{self._mark}m{len(self._machines)}"
        _run("netns", "add", name)
        machine = Machine(name)
        self._machines.append(machine)
        machine.ip("link", "set", "lo", "up")
        return machine

    def cable(self, one: Machine, other: Machine, at_one: str, at_other: str, *more: tuple[str, str]) -> str:
        """Join two machines by a cable with these addresses (CIDR) at its ends, and return its name at both."""
        self._cables += 1
        name, far = f"eth{self._cables}", f"{self._mark}c{self._cables}"
        _run("link", "add", far, "type", "veth", "peer", "name", f"{far}b")
        for end, machine in ((far, one), (f"{far}b", other)):
            _run("link", "set", end, "netns", machine.namespace)
            machine.ip("link", "set", end, "name", name)
            machine.ip("link", "set", name, "up")
        for first, second in ((at_one, at_other), *more):
            for machine, address in ((one, first), (other, second)):
                machine.ip("address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
        return name

    def close(self) -> None:
        """Remove every machine; cables go with their ends."""
        for machine in self._machines:
            with suppress(subprocess.CalledProcessError):
                _run("netns", "delete", machine.namespace)


@contextmanager
def lab() -> Iterator[Lab]:
    """Yield a lab; skips the test where no namespaces can be made."""
    if IP is None or os.geteuid() != 0:
        pytest.skip("network namespaces need root and the program `ip`")
    made = Lab()
    try:
        made.machine()
    except subprocess.CalledProcessError as error:
        made.close()
        pytest.skip(f"no network namespaces here: {error.stderr.decode(errors='replace').strip()}")
    try:
        yield made
    finally:
        made.close()
