"""What a server tells of its own side, and to whom."""

import pytest

from tests.helpers.run_async import runs_async
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.messages import DescribeServer, ServerDescribed
from texswarm_server.self_description import SelfDescription


async def told(root, *, host="0.0.0.0", asked_from="10.0.0.7", is_open=False) -> ServerDescribed:
    description = SelfDescription(host, lambda: 8091, is_open=is_open, is_announced=lambda: True, root=root)
    first = await description.tell(DescribeServer(request=7), asked_from)
    assert await description.tell(DescribeServer(request=7), asked_from) == first
    return first


@runs_async
async def test_its_firewall_and_whether_it_is_announced(tmp_path):
    (tmp_path / "etc/ufw").mkdir(parents=True)
    (tmp_path / "etc/ufw/ufw.conf").write_text("ENABLED=yes\n")
    fact = await told(tmp_path)
    assert (fact.firewall, fact.announced, fact.port, fact.client_address) == ("ufw", True, 8091, "10.0.0.7")
    assert (fact.request, fact.oldest_protocol, fact.protocol) == (7, 1, 2)


@pytest.mark.parametrize("asked_from", ["203.0.114.9", "2a00::1", ""])
@runs_async
async def test_its_addresses_are_not_told_far_away(tmp_path, asked_from):
    assert (await told(tmp_path, asked_from=asked_from)).interfaces == []


@runs_async
async def test_on_the_loopback_neither_addresses_nor_a_firewall_matter(tmp_path):
    (tmp_path / "run/firewalld").mkdir(parents=True)
    for host in ("127.0.0.1", "::1", "localhost"):
        fact = await told(tmp_path, host=host)
        assert (fact.interfaces, fact.firewall) == ([], None)


@runs_async
async def test_a_server_that_lets_everybody_in_tells_nobody(tmp_path):
    with pytest.raises(RejectedError) as error:
        await told(tmp_path, is_open=True)
    assert error.value.code == ErrorCode.FORBIDDEN
