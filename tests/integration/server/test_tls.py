"""TLS from files: the address says so, links carry the fingerprint, strangers' plain text gets nowhere."""

from __future__ import annotations

import hashlib
import ssl

import pytest

from tests.helpers.certificates import certificate
from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import wire_client
from texswarm_server.app import FINGERPRINT, LISTENING_URL
from texswarm_server.protocol.errors import SettingsError

pytest.importorskip("cryptography")


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
