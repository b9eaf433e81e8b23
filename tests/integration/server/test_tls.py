"""TLS from files: the address says so, links carry the fingerprint, strangers' plain text gets nowhere."""

from __future__ import annotations

import hashlib
import os
import ssl
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.multicast import looking_for
from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import wire_client
from texswarm_desktop.client.link import WrongCertificateError
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.client.transport import websocket_transport
from texswarm_server.app import FINGERPRINT, LISTENING_URL
from texswarm_server.cli.invite import base_link
from texswarm_server.protocol.certificates import key_fingerprint
from texswarm_server.protocol.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from texswarm_server.protocol.invite_link import InviteLink

pytest.importorskip("cryptography")


async def leads_in(link: InviteLink) -> bool:
    """Whether a guest with this link takes the server there for the one that is meant."""
    try:
        async with websocket_transport(link.fingerprint)(link.address, LAN, time.monotonic):
            return True
    except WrongCertificateError:
        return False


@runs_async
async def test_a_server_with_a_certificate_speaks_tls_only(premises, tmp_path) -> None:
    cert_file, key_file, der = certificate(tmp_path)
    trusted = ssl.create_default_context(cafile=str(cert_file))
    async with premises.running(tls_cert=cert_file, tls_key=key_file) as place:
        assert place.url.startswith("wss://127.0.0.1:")
        async with wire_client(place.url, ssl=trusted) as client:
            await client.sign_in(place.host_invite)
            opened = await client.create_and_open("secret")
            assert opened.acknowledged
        with pytest.raises(Exception, match=r"(?i)handshake|response|closed|eof|reset"):
            async with wire_client(place.url.replace("wss:", "ws:")):
                pass
        settings = await place.server._store.run(
            lambda records: (records.find_setting(LISTENING_URL), records.find_setting(FINGERPRINT))
        )
    assert settings == (place.url, hashlib.sha256(der).hexdigest())


@runs_async
async def test_a_new_certificate_is_used_without_a_restart_and_a_wrong_one_is_not(premises, tmp_path) -> None:
    cert_file, key_file, _der = certificate(tmp_path)
    first = ssl.create_default_context(cafile=str(cert_file))
    async with (
        premises.running(tls_cert=cert_file, tls_key=key_file) as place,
        wire_client(place.url, ssl=first) as ada,
    ):
        await ada.sign_in(place.host_invite)
        opened = await ada.create_and_open("before")
        _cert, _key, der = certificate(tmp_path)
        second = ssl.create_default_context(cafile=str(cert_file))
        await place.server.reload_tls()

        async with wire_client(place.url, ssl=second) as bob:
            await bob.sign_in(place.host_invite)
        await opened.write(", after")
        await opened.acknowledged_all()
        fingerprint = await place.server._store.run(lambda records: records.find_setting(FINGERPRINT))
        assert fingerprint == hashlib.sha256(der).hexdigest()

        key_file.write_bytes(b"no key")
        with pytest.raises(SettingsError, match="cannot use the certificate"):
            await place.server.reload_tls()
        async with wire_client(place.url, ssl=second) as bob:
            await bob.sign_in(place.host_invite)


@runs_async
async def test_without_tls_there_is_nothing_to_read_again(premises) -> None:
    async with premises.running() as place, wire_client(place.url) as ada:
        await place.server.reload_tls()
        await ada.sign_in(place.host_invite)


@runs_async
async def test_a_link_holds_for_as_long_as_the_key_does(premises, tmp_path) -> None:
    cert_file, key_file, _der = certificate(tmp_path)
    async with premises.running(tls_cert=cert_file, tls_key=key_file) as place:
        link = await place.server._store.run(partial(base_link, url=None))
        of_before = replace(
            link, fingerprint=link.certificate, certificate=None
        )  # as a server made it that named no key
        assert [await leads_in(one) for one in (link, of_before)] == [True, True]

        certificate(tmp_path, keeps_key=True)
        await place.server.reload_tls()
        assert [await leads_in(one) for one in (link, of_before)] == [True, False]

        certificate(tmp_path)
        await place.server.reload_tls()
        assert not await leads_in(link)


@runs_async
async def test_a_renewed_certificate_is_announced(premises, tmp_path) -> None:
    name = f"renewed {os.getpid()}"
    cert_file, key_file, der = certificate(tmp_path)

    def says(fingerprint: str) -> Callable[[], bool]:
        return lambda: any(host.announcement.fingerprint == fingerprint for host in seen.hosts)

    with looking_for(name) as seen:
        async with premises.running(tls_cert=cert_file, tls_key=key_file, advertise=name) as place:
            await until(says(key_fingerprint(der)))
            *_, other = certificate(tmp_path)
            await place.server.reload_tls()
            await until(says(key_fingerprint(other)))
