"""The server inside the desktop, on loopback."""

import asyncio
import socket
import threading
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from websockets.asyncio.client import connect

from tests.helpers.run_async import settle
from tests.helpers.wire_client import signed_in_client
from texswarm_desktop.client.link import WrongCertificateError
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.client.transport import websocket_transport
from texswarm_desktop.services.embedded_server import EmbeddedServer, HostConfig, HostStarted, ports_to_try
from texswarm_desktop.services.host_identity import HostIdentity
from texswarm_desktop.services.lan_addresses import lan_addresses
from texswarm_server.protocol.close_codes import CloseCode
from texswarm_server.protocol.errors import HostError, NotWritableError
from texswarm_server.protocol.messages import CreateInvite, InviteCreated


def config(folder: Path, port: int = 0) -> HostConfig:
    return HostConfig(data=folder / "host", host="127.0.0.1", port=port)


def test_it_answers_when_it_has_started_and_is_gone_when_it_has_stopped(tmp_path: Path) -> None:
    async def story() -> None:
        server = EmbeddedServer(config(tmp_path))
        started = await server.start()
        assert started.owner_invite
        assert (started.address.host, started.public_addresses) == ("127.0.0.1", (started.address,))
        place = (started.address.host, started.address.port)
        _, writer = await asyncio.open_connection(*place)
        writer.close()
        await writer.wait_closed()
        await server.stop()
        await server.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*place)

    asyncio.run(story())
    assert "embedded-server" not in {thread.name for thread in threading.enumerate()}


def test_a_taken_port_is_no_obstacle(tmp_path: Path) -> None:
    async def story(port: int) -> int:
        server = EmbeddedServer(config(tmp_path, port))
        started = await server.start()
        await server.stop()
        return started.address.port

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert asyncio.run(story(port)) not in {0, port}


def test_the_next_ports_are_tried_before_any(tmp_path: Path) -> None:
    assert ports_to_try(8091) == [8091, 8092, 8093, 8094, 8095, 8096, 8097, 8098, 0]
    assert (ports_to_try(0), ports_to_try(65535)) == ([0], [65535, 0])


def test_for_everybody_it_listens_on_both_families_under_one_port(tmp_path: Path) -> None:
    async def story() -> list[str]:
        everywhere = HostConfig(data=tmp_path / "host", host="", port=0)
        server = EmbeddedServer(everywhere, list_addresses=lambda: ["192.0.2.7", "2001:db8::7"])
        started = await server.start()
        families = ["127.0.0.1", "::1"] if socket.has_ipv6 and _has_loopback_6() else ["127.0.0.1"]
        for host in families:
            _, writer = await asyncio.open_connection(host, started.address.port)
            writer.close()
            await writer.wait_closed()
        await server.stop()
        assert {one.port for one in started.public_addresses} == {started.address.port}
        return [one.host for one in (started.address, *started.public_addresses)]

    assert asyncio.run(story()) == ["127.0.0.1", "192.0.2.7", "2001:db8::7"]


def _has_loopback_6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
        return True


def test_other_addresses_are_told_while_it_runs_and_the_certificate_is_for_them(tmp_path: Path) -> None:
    addresses, identity = ["192.0.2.7"], HostIdentity(tmp_path / "identity")

    async def story() -> list[str]:
        told: asyncio.Queue = asyncio.Queue()
        server = EmbeddedServer(
            HostConfig(data=tmp_path / "host", host="", port=0),
            identity=identity,
            list_addresses=lambda: list(addresses),
            on_addresses=told.put_nowait,
            look_again_s=0.01,
        )
        started = await server.start()
        addresses[:] = ["198.51.100.9", "192.0.2.7"]
        found = await told.get()
        async with websocket_transport(started.fingerprint)(started.address, LAN, time.monotonic):
            pass
        await server.stop()
        assert told.empty()
        return [one.host for one in found]

    assert asyncio.run(story()) == ["198.51.100.9", "192.0.2.7"]
    names = x509.load_pem_x509_certificate(identity.certificate_file.read_bytes()).extensions
    told = names.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.IPAddress)
    assert ip_address("198.51.100.9") in told


def test_guests_write_together_while_the_hosts_own_thread_does_nothing_but_wait(tmp_path: Path) -> None:
    """It waits for them: if they needed it, nobody would ever be done."""
    done = threading.Event()

    def write_together(url: str, invite: str) -> None:
        async def story() -> None:
            async with signed_in_client(url, invite, user_id="ada") as ada:
                paper = await ada.create_and_open("Hello")
                token = (await ada.ask(CreateInvite(document_id=paper.facts.document_id), InviteCreated)).token
                async with signed_in_client(url, token, user_id="bob") as bob:
                    copy = await bob.open(paper.facts.document_id)
                    for number in range(50):
                        await paper.write(f" {number}")
                        await copy.shows(f" {number}")
            done.set()

        asyncio.run(story())

    async def story() -> bool:
        server = EmbeddedServer(config(tmp_path))
        started = await server.start()
        guests = threading.Thread(target=write_together, args=(started.address.url, started.owner_invite))
        guests.start()
        is_done = done.wait(30)
        guests.join()
        await server.stop()
        return is_done

    assert asyncio.run(story())


def test_a_guest_that_does_not_answer_keeps_nobody_from_stopping(tmp_path: Path) -> None:
    async def story() -> float:
        server = EmbeddedServer(config(tmp_path))
        started = await server.start()
        async with connect(started.address.url) as guest:
            guest.transport.pause_reading()
            begin = time.perf_counter()
            await server.stop()
            took_s = time.perf_counter() - begin
            guest.transport.resume_reading()
            await guest.wait_closed()
            assert guest.close_code == CloseCode.SESSION_ENDED
        return took_s

    assert asyncio.run(story()) < 1.0  # the wait is a tenth of a second; the rest is for a busy machine


def test_a_server_that_never_started_can_be_stopped(tmp_path: Path) -> None:
    asyncio.run(EmbeddedServer(config(tmp_path)).stop())


def test_a_folder_that_cannot_be_used_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "host").write_bytes(b"a file in the way")
    with pytest.raises(HostError):
        asyncio.run(EmbeddedServer(config(tmp_path)).start())


def test_a_folder_that_another_server_uses_is_a_typed_error_that_says_why(tmp_path: Path) -> None:
    async def story() -> None:
        first, second = EmbeddedServer(config(tmp_path)), EmbeddedServer(config(tmp_path))
        await first.start()
        try:
            with pytest.raises(HostError, match="another server uses the data folder") as failure:
                await second.start()
            assert isinstance(failure.value.__cause__, NotWritableError)
        finally:
            await first.stop()

    asyncio.run(story())


def test_guests_hear_that_the_host_ended_the_session(tmp_path: Path) -> None:
    async def story() -> int | None:
        server = EmbeddedServer(config(tmp_path))
        started = await server.start()
        async with connect(started.address.url) as guest:
            await asyncio.gather(server.stop(), guest.wait_closed())
            return guest.close_code

    assert asyncio.run(story()) == CloseCode.SESSION_ENDED


@pytest.mark.parametrize("turns", [0, 1, 2, 50])
def test_a_start_that_is_cancelled_leaves_nothing(tmp_path: Path, turns: int) -> None:
    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            start = group.create_task(EmbeddedServer(config(tmp_path)).start())
            await settle(turns)
            start.cancel()

    asyncio.run(story())
    assert "embedded-server" not in {thread.name for thread in threading.enumerate()}


def test_a_server_can_be_stopped_while_it_starts(tmp_path: Path) -> None:
    async def story() -> None:
        server = EmbeddedServer(config(tmp_path))
        async with asyncio.TaskGroup() as group:
            start = group.create_task(server.start())
            await settle(1)
            await server.stop()
        assert start.result().owner_invite

    asyncio.run(story())


def test_whoever_stops_it_waits_until_it_has_ended(tmp_path: Path) -> None:
    async def stop(server: EmbeddedServer) -> bool:
        await server.stop()
        return "embedded-server" in {thread.name for thread in threading.enumerate()}

    async def story() -> list[bool]:
        server = EmbeddedServer(config(tmp_path))
        await server.start()
        return list(await asyncio.gather(stop(server), stop(server), stop(server)))

    assert asyncio.run(story()) == [False, False, False]


def test_with_an_identity_it_is_recognised_by_its_key_also_after_the_certificate_was_renewed(tmp_path: Path) -> None:
    identity = HostIdentity(tmp_path / "identity")

    async def reached(known_as: str | None = None) -> HostStarted:
        server = EmbeddedServer(config(tmp_path), identity=identity)
        started = await server.start()
        try:
            async with websocket_transport(known_as or started.fingerprint)(started.address, LAN, time.monotonic):
                return started
        finally:
            await server.stop()

    first = asyncio.run(reached())
    assert (first.address.tls, first.fingerprint) == (True, identity.fingerprint())
    identity.certificate_file.unlink()
    asyncio.run(reached(first.fingerprint))
    identity.key_file.unlink()
    with pytest.raises(WrongCertificateError):
        asyncio.run(reached(first.fingerprint))


def test_the_addresses_for_others_are_addresses() -> None:
    found = lan_addresses()
    assert found
    assert len(set(found)) == len(found)
    assert all(ip_address(text) for text in found)
