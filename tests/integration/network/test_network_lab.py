"""The lab itself: what other tests rely on when they say that a cable is cut."""

import asyncio
import socket
import subprocess
import sys
import time

from tests.helpers.lab_cable import Wire
from tests.helpers.lab_namespaces import entered
from tests.helpers.network_lab import LabHost, NetworkLab, needs_network_lab

PORT = 8091
#: For what is reached at once, unless the machine stands still.
LONG_S = 10.0


def listening(host: LabHost) -> socket.socket:
    """Return a socket that belongs to the host, wherever it is used."""
    with host.entered():
        return socket.create_server(("", PORT))


def reaches(host: LabHost, address: str, timeout_s: float = 0.25) -> bool:
    with host.entered():
        try:
            socket.create_connection((address, PORT), timeout_s).close()
        except OSError:
            return False
    return True


@needs_network_lab
def test_hosts_reach_each_other_and_nobody_else_does() -> None:
    with NetworkLab() as lab:
        office, other = lab.network(), lab.network()
        ada, bob, eve = lab.host("ada", office), lab.host("bob", office, other), lab.host("eve", other)
        with listening(bob):
            assert reaches(ada, bob.address, LONG_S)
            assert reaches(ada, bob.address6) is False  # listens on IPv4 only
            assert reaches(eve, other.address(bob.number), LONG_S)
            assert reaches(eve, bob.address) is False


@needs_network_lab
def test_a_cut_can_be_one_sided_or_for_one_port_and_is_mended() -> None:
    with NetworkLab() as lab:
        office = lab.network()
        ada, bob = lab.host("ada", office), lab.host("bob", office)
        with listening(bob):
            for cut in ({}, {"incoming": False}, {"outgoing": False}, {"only": f"tcp dport {PORT}"}):
                bob.cut(**cut)
                assert reaches(ada, bob.address) is False
                bob.mend()
                assert reaches(ada, bob.address, LONG_S)
            bob.cut(only="tcp dport 1")
            assert reaches(ada, bob.address, LONG_S)


@needs_network_lab
def test_a_wire_is_slow_and_loses_frames() -> None:
    with NetworkLab() as lab:
        office = lab.network()
        ada, bob = lab.host("ada", office, wire=Wire(delay_s=0.05, loss=0.05, seed=2)), lab.host("bob", office)
        with listening(bob):
            began = time.monotonic()
            assert reaches(ada, bob.address, LONG_S)
            assert time.monotonic() - began >= 0.1


@needs_network_lab
def test_a_host_can_take_another_address_and_be_isolated() -> None:
    with NetworkLab() as lab:
        office = lab.network()
        ada, bob = lab.host("ada", office), lab.host("bob", office)
        with listening(bob):
            before = bob.address
            bob.renumber(77)
            assert (reaches(ada, before), reaches(ada, bob.address, LONG_S)) == (False, True)
            ada.isolate()
            assert reaches(ada, bob.address, LONG_S)
            bob.isolate()
            assert reaches(ada, bob.address) is False


@needs_network_lab
def test_programs_functions_and_loops_can_sit_on_a_host() -> None:
    with NetworkLab() as lab:
        bob = lab.host("bob", lab.network())
        ask = "import socket; s = socket.socket(); s.bind(('10.77.1.1', 0)); print(s.getsockname()[0])"
        assert bob.run(sys.executable, "-c", ask).strip() == bob.address
        assert bob.call(lambda: listening(bob).close()) is None
        loop = bob.loop()

        async def listens() -> str:
            server = await asyncio.start_server(lambda r, w: None, bob.address, 0)
            address = server.sockets[0].getsockname()[0]
            server.close()
            return str(address)

        assert loop.run(listens()) == bob.address
        sleeper = bob.start("sleep", "1000")
    assert sleeper.poll() is not None


@needs_network_lab
def test_nothing_is_left_and_names_are_nobodys() -> None:
    # In a namespace of the test's own: other programs make and remove interfaces beside ours at any moment.
    with NetworkLab() as around, entered(around.new_namespace()):
        before = links()
        with NetworkLab() as first, NetworkLab() as second:
            first.host("ada", first.network())
            second.host("ada", second.network())
            assert links() == before
        assert links() == before


def links() -> list[str]:
    shown = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return [line.split(":")[1].strip() for line in shown.splitlines()]
