"""The server knows where its clients are, also behind a proxy."""

from __future__ import annotations

import pytest

from tests.helpers.run_async import runs_async
from tests.helpers.wire_client import wire_client
from texswarm_server.protocol.errors import SettingsError

VIA_PROXY = {"X-Forwarded-For": "203.0.113.7"}


@pytest.mark.parametrize(("trusted", "address"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.7")])
@runs_async
async def test_a_peer_has_the_address_of_its_client(premises, trusted, address) -> None:
    async with (
        premises.running(trusted_proxies=trusted) as place,
        wire_client(place.url, additional_headers=VIA_PROXY) as client,
    ):
        await client.sign_in(place.host_invite)
        assert [peer.address for peer in place.server._peers] == [address]


@runs_async
async def test_a_server_with_a_wrong_proxy_does_not_start(premises) -> None:
    with pytest.raises(SettingsError, match="trusted_proxies"):
        async with premises.running(trusted_proxies=("nonsense",)):
            pass
