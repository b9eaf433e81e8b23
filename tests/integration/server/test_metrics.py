"""What Prometheus is told, read by its own parser."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.helpers.legacy_client import legacy_client
from tests.helpers.plain_http import get
from tests.helpers.run_async import runs_async, until
from tests.helpers.wire_client import signed_in_client, wire_client
from tests.helpers.yjs_client import yjs_client
from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.messages import Authentication

Numbers = dict[tuple[str, ...], float]


async def numbers(place) -> Numbers:
    """Every sample by its name and the values of its labels, without our prefix."""
    answer = await get(place.url, "/metrics")
    assert answer.status == 200
    return {
        (sample.name.removeprefix("texswarm_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


async def comes_to(place, name: tuple[str, ...], value: float) -> None:
    seen: Numbers = {}
    for _ in range(200):
        seen = await numbers(place)
        if seen.get(name) == value:
            return
    raise AssertionError(f"{name} is {seen.get(name)}, not {value}")


@runs_async
async def test_connections_and_sign_ins_are_counted_by_wire(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        opened = await ada.create_and_open("Hello")
        invite = await place.server.create_invite("editor", opened.facts.document_id)
        async with (
            legacy_client(place.url, invite),
            yjs_client(place.url, opened.facts.document_id, invite) as browser,
            wire_client(place.url),
        ):
            await browser.shows("Hello")
            await until(lambda: len(place.server._peers) == 4)
            seen = await numbers(place)
            assert [seen["connections", wire] for wire in ("protocol_1", "protocol_2", "yjs")] == [1, 2, 1]
            assert [seen["authentications_total", wire] for wire in ("protocol_1", "protocol_2", "yjs")] == [1, 1, 1]
            assert seen["connections_unauthenticated",] == 1
            assert (seen["sessions", "attached"], seen["sessions", "detached"]) == (3, 0)
            assert seen["received_bytes_total",] > 1000
            assert seen["ready",] == 1


@runs_async
async def test_how_connections_ended_and_who_was_refused_is_counted(premises) -> None:
    async with premises.running() as place:
        async with wire_client(place.url) as stranger:
            await stranger.send(Authentication(protocol=2, token="txi_nonsense"))
            assert await stranger.closed() == 4401
        async with legacy_client(place.url) as first_generation:
            await first_generation.refused("Authentication", {"user_id": "ada", "token": None})
        async with signed_in_client(place.url, place.host_invite) as lost:
            lost.connection.transport.abort()
        await until(lambda: not place.server._peers)
        seen = await numbers(place)
        assert seen["authentications_refused_total", "token_invalid"] == 1
        assert seen["authentications_refused_total", "token_missing"] == 1
        closed = {key[1]: value for key, value in seen.items() if key[0] == "connections_closed_total"}
        assert closed == {"4401": 1, "1000": 1, "1006": 1}
        assert (seen["sessions", "attached"], seen["sessions", "detached"]) == (0, 1)


@runs_async
async def test_documents_and_their_traffic_are_counted(premises) -> None:
    async with premises.running() as place, signed_in_client(place.url, place.host_invite) as ada:
        opened = await ada.create_and_open("Hello")
        async with signed_in_client(place.url, ada.welcome.access_token, user_id=None) as bob:
            theirs = await bob.open(opened.facts.document_id)
            before = await numbers(place)
            for number in range(5):
                await opened.write(f"[{number}]")
                await opened.acknowledged_all()
            await theirs.shows("[4]")
            seen = await numbers(place)

            def more(*name: str) -> float:
                return seen[name] - before[name]

            assert more("updates_total") == more("acknowledgement_seconds_count") == 5
            assert more("acknowledgement_seconds_bucket", "+Inf") == 5
            assert more("deliveries_total") == 10, "each update to the other, each acknowledgement to the writer"
            assert more("delivered_bytes_total") > 0
            assert seen["documents_loaded",] == seen["document_loads_total",] == 1
            assert seen["store_backlog_bytes",] == 0
            assert seen["store_working",] == 1
            await comes_to(place, ("documents_stored",), 1)


@runs_async
async def test_the_process_and_its_loop_are_told_of(premises) -> None:
    async with premises.running() as place:
        seen = await numbers(place)
        assert seen["event_loop_lag_seconds_count",] >= 0
        assert seen["outbox_bytes",] == seen["connections_held",] == 0
        if ("process_resident_memory_bytes",) not in seen:
            pytest.skip("this system does not tell what a process takes")
        assert seen["process_resident_memory_bytes",] > 1e6
        assert seen["process_cpu_seconds_total",] > 0


@pytest.mark.parametrize(
    ("settings", "header", "status"),
    [
        ({}, {}, 200),
        ({}, {"X_Forwarded_For": "127.0.0.1"}, 403),
        ({"metrics_from": ()}, {}, 403),
        ({"metrics_from": ("10.0.0.0/8",)}, {}, 403),
        ({"trusted_proxies": ("127.0.0.1",)}, {"X_Forwarded_For": "203.0.113.7"}, 403),
        (
            {"trusted_proxies": ("127.0.0.1",), "metrics_from": ("203.0.113.0/24",)},
            {"X_Forwarded_For": "203.0.113.7"},
            200,
        ),
    ],
)
@runs_async
async def test_numbers_are_told_only_to_whom_the_operator_names(premises, settings, header, status) -> None:
    async with premises.running(**settings) as place:
        assert (await get(place.url, "/metrics", **header)).status == status
        assert (await get(place.url, "/healthz", **header)).status == 200


@runs_async
async def test_no_page_of_another_site_reads_the_numbers_in_an_operators_browser(premises) -> None:
    async with premises.running() as place:
        names = {path: (await get(place.url, path)).headers for path in ("/metrics", "/api/ping")}
        assert ["access-control-allow-origin" in each for each in names.values()] == [False, True]


@runs_async
async def test_a_server_with_a_wrong_network_for_its_numbers_does_not_start(premises) -> None:
    with pytest.raises(SettingsError, match="metrics_from"):
        async with premises.running(metrics_from=("nonsense",)):
            pass
