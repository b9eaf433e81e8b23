"""Stories about a link, told by the status line. Each is a golden file that reads like PRODUCT's table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.helpers.golden import assert_golden
from tests.helpers.run_async import runs_async
from tests.helpers.status_story import Story
from texswarm_desktop.client.events import RetryCause
from texswarm_desktop.client.link import NoLinkError, WrongCertificateError
from texswarm_desktop.client.states import Trouble
from texswarm_server.protocol.invite_link import ServerAddress

FAR = {"host": "swarm.example.org", "name": "swarm.example.org"}


@asynccontextmanager
async def told(file: str, title: str, **options: object) -> AsyncIterator[Story]:
    async with Story(title, **options) as story:
        yield story
    assert_golden(f"status/{file}.txt", story.text)


@runs_async
async def test_the_straight_road() -> None:
    async with told("first-connection", "A first connection, some work, and goodbye", is_new=True) as story:
        await story.connect()
        await story.passes(2)
        await story.type("Hello")
        await story.passes(2)


@runs_async
async def test_a_cable_is_out_for_ten_seconds() -> None:
    async with told("cut-ten-seconds", "The cable is out for ten seconds, and somebody goes on writing") as story:
        await story.passes(3)
        await story.cut("the cable is out")
        await story.passes(2)
        await story.type("on")
        await story.passes(5)
        await story.type("and on")
        await story.passes(3)
        await story.mend("the cable is in again")
        await story.passes(3)


@runs_async
async def test_a_blip_is_not_shown() -> None:
    async with told("blip", "The link is lost and back within a second: nothing is shown") as story:
        await story.passes(10)
        await story.lose("the link is lost")
        await story.passes(5)
        await story.cut("nothing comes through for less than a second")
        await story.passes(0.75)
        story.links.last.answers_pings = True
        await story.mend("everything comes through again")
        await story.passes(5)


@runs_async
async def test_a_half_open_link_is_found() -> None:
    async with told("half-open", "The link is dead without a sign, and the server can be reached") as story:
        await story.passes(3)
        story.happens("the server forgets the link without a word")
        story.links.last.answers_pings = False
        await story.passes(1)
        await story.type("on")
        await story.passes(8)


@runs_async
async def test_a_server_is_killed_and_started_again() -> None:
    async with told("server-killed", "The server is killed, and started again half a minute later") as story:
        await story.passes(10)
        story.door.answers, story.door.refuses = None, True
        await story.lose("the server is killed")
        await story.passes(5)
        await story.type("on")
        await story.passes(25)
        await story.mend("the server is there again")
        await story.passes(3)


@runs_async
async def test_a_server_restarts() -> None:
    async with told("server-restarts", "The server is restarted by its operator") as story:
        await story.passes(10)
        story.door.answers, story.door.refuses = None, True
        await story.lose("the server says that it restarts", 1012, "restarting")
        await story.passes(4)
        await story.mend("the server is there again")
        await story.passes(3)


@runs_async
async def test_the_host_stops() -> None:
    async with told("host-stops", "The host ends the session") as story:
        await story.passes(3)
        await story.lose("the host stops hosting", 4410, "the host ended the session")
        await story.type("on")
        await story.passes(60)


@runs_async
async def test_an_access_token_expires_while_away() -> None:
    async with told("token-expired", "Back after a night: the access token is no good, the refresh token is") as story:
        await story.passes(3)
        story.refuses("token_expired")
        story.credentials.refresh_token = "r0"
        await story.lose("the link is lost")
        await story.passes(3)


@runs_async
async def test_everything_that_let_in_has_expired() -> None:
    async with told("signed-out", "Back after two months: nothing that is at hand lets in any more") as story:
        await story.passes(3)
        story.refuses("token_expired", "token_expired")
        story.credentials.refresh_token = "r0"
        await story.lose("the link is lost")
        await story.type("on")
        await story.passes(60)


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("invite_expired", "An invitation that has expired"),
        ("invite_revoked", "An invitation that was withdrawn"),
        ("protocol_unsupported", "A server that speaks a newer version"),
    ],
)
@runs_async
async def test_an_invitation_is_not_taken(code: str, title: str) -> None:
    async with told(code.replace("_", "-"), title, is_new=True) as story:
        story.refuses(code)
        await story.connect()
        await story.passes(60)


@runs_async
async def test_somebody_is_removed() -> None:
    async with told("removed", "Somebody is removed by the host while writing") as story:
        await story.passes(3)
        await story.lose("the host removes this user", 4403, "removed")
        await story.type("on")
        await story.passes(60)


@runs_async
async def test_access_is_revoked() -> None:
    async with told("revoked", "Access is revoked while writing") as story:
        await story.passes(3)
        story.refuses("token_revoked", "token_revoked")
        await story.lose("the operator revokes the session", 4401, "token_revoked")
        await story.passes(60)


@runs_async
async def test_another_certificate_is_shown() -> None:
    async with told("wrong-certificate", "The server shows another certificate than the invitation promised") as story:
        await story.passes(3)
        story.links.error = WrongCertificateError("another")
        await story.lose("somebody takes the server's place")
        await story.type("on")
        await story.passes(60)


@runs_async
async def test_another_history_of_the_document() -> None:
    async with told("other-lineage", "The server has another history of the document") as story:
        await story.passes(3)
        await story.lose("the document was made anew on the server", 4412, "lineage_mismatch")
        await story.passes(60)


@runs_async
async def test_the_lid_is_closed_for_an_hour() -> None:
    async with told("sleep", "The lid is closed for an hour; the link has died meanwhile") as story:
        await story.passes(3)
        story.happens("the machine sleeps for an hour, and the server gives the link up")
        story.links.last.answers_pings = False
        story.time.sleep_machine(3600)
        await story.passes(5)


@runs_async
async def test_the_program_is_stopped_for_a_while() -> None:
    async with told("suspended", "The program is suspended for a minute (SIGSTOP, SIGCONT); the link holds") as story:
        await story.passes(3)
        story.happens("the program stands still for a minute")
        story.time.stand_still(60)
        await story.passes(5)


@runs_async
async def test_the_network_goes_and_comes() -> None:
    async with told("offline", "The Wi-Fi is switched off and on again") as story:
        await story.passes(3)
        await story.cut("the Wi-Fi is off, and the system says so")
        story.connection.network_changed(False)
        await story.passes(2)
        await story.type("on")
        await story.passes(60)
        await story.mend("the Wi-Fi is on")
        story.connection.network_changed(True)
        await story.passes(2)


@runs_async
async def test_a_far_server_and_no_network() -> None:
    async with told("offline-far", "The Wi-Fi is switched off far away from the server", **FAR) as story:
        await story.passes(3)
        await story.cut("the Wi-Fi is off, and the system says so")
        story.connection.network_changed(False)
        await story.passes(2)
        await story.mend("the Wi-Fi is on")
        story.connection.network_changed(True)
        await story.passes(2)
        await story.cut("it is off for less than a second")
        story.connection.network_changed(False)
        await story.passes(0.75)
        story.links.last.answers_pings = True
        await story.mend("and on again")
        story.connection.network_changed(True)
        await story.passes(5)


@runs_async
async def test_a_first_attempt_without_a_network() -> None:
    async with told("offline-first", "Somebody joins while there is no network", is_new=True, **FAR) as story:
        story.links.hangs = True
        await story.connect()
        await story.passes(2)
        story.happens("the system says that there is no network")
        story.connection.network_changed(False)
        await story.passes(30)
        await story.mend("there is one")
        story.connection.network_changed(True)
        await story.passes(2)


@runs_async
async def test_a_vpn_comes_up() -> None:
    async with told("vpn", "A VPN comes up, and the link over the old way is dead") as story:
        await story.passes(3)
        story.happens("the VPN comes up")
        story.links.last.answers_pings = False
        story.connection.network_changed(True)
        await story.passes(5)


@runs_async
async def test_another_network_takes_the_place_of_the_old_one() -> None:
    title = "A laptop is carried from the office's Wi-Fi to a phone's hotspot"
    async with told("network-changed", title, **FAR) as story:
        await story.passes(3)
        await story.cut("the office's Wi-Fi is out of reach")
        await story.type("on")
        await story.passes(4)
        story.connection.network_changed(False)
        story.happens("the system says that there is no network")
        await story.passes(20)
        await story.mend("the phone's hotspot is joined")
        story.connection.network_changed(True)
        await story.passes(2)


@runs_async
async def test_a_host_comes_back_elsewhere() -> None:
    async with told("host-moved", "The host is killed, and comes back with another address") as story:
        await story.passes(10)
        await story.cut("the host's machine loses its power")
        await story.passes(20)
        story.happens("the host announces itself on the network, at another address")
        story.door.open(ServerAddress("10.0.0.77"))
        story.connection.seen_at([ServerAddress("10.0.0.77")])
        await story.passes(2)


@runs_async
async def test_a_host_gets_another_address_and_goes_on() -> None:
    async with told("host-renumbered", "The host gets another address, and somebody goes on writing") as story:
        await story.passes(10)
        await story.cut("the host has another address")
        await story.type("on")
        await story.passes(0.125)
        story.happens("it announces itself there")
        story.door.open(ServerAddress("10.0.0.77"))
        story.connection.seen_at([ServerAddress("10.0.0.77")])
        await story.passes(5)


@runs_async
async def test_somebody_says_in_the_hosts_name_that_it_is_elsewhere() -> None:
    async with told("host-forged", "Somebody else says that the host is where they are themselves") as story:
        await story.passes(10)
        story.links.errors[ServerAddress("10.0.0.66")] = WrongCertificateError("another")
        story.links.last.answers_pings = False
        story.happens("the host stands still for two seconds, and somebody says that it is elsewhere")
        await story.passes(0.125)
        story.door.open(ServerAddress("10.0.0.66"))
        story.connection.seen_at([ServerAddress("10.0.0.66")])
        await story.passes(2)
        story.links.last.answers_pings = True
        await story.passes(5)
        await story.type("on")
        await story.passes(2)


@runs_async
async def test_a_far_server_is_away_for_two_minutes() -> None:
    async with told("far-server-away", "A server far away is gone for two minutes", **FAR) as story:
        await story.passes(15)
        story.links.refuses = True
        await story.lose("the connection breaks off")
        await story.passes(20)
        await story.type("on")
        await story.passes(100)
        await story.mend("the server is there again")
        await story.passes(30)


@runs_async
async def test_a_key_press_ends_a_long_wait() -> None:
    async with told("key-press", "Somebody begins to write while a far server is waited for", **FAR) as story:
        await story.passes(15)
        story.links.refuses = True
        await story.lose("the connection breaks off")
        await story.passes(40)
        await story.mend("the server is there again")
        await story.passes(6)
        await story.type("on")
        await story.passes(2)


@runs_async
async def test_retry_now_ends_a_long_wait() -> None:
    async with told("retry-now", "Somebody presses Retry now while a far server is waited for", **FAR) as story:
        await story.passes(15)
        story.links.refuses = True
        await story.lose("the connection breaks off")
        await story.passes(40)
        await story.mend("the server is there again")
        story.happens("Retry now is pressed")
        story.connection.retry_now(RetryCause.USER)
        await story.passes(2)


@runs_async
async def test_the_proxy_is_down() -> None:
    async with told("proxy-down", "The system's proxy is down for a while", **FAR) as story:
        await story.passes(15)
        story.links.error = NoLinkError(Trouble.PROXY, "the proxy refuses")
        await story.lose("the proxy goes down")
        await story.type("on")
        await story.passes(10)
        story.links.error = None
        await story.mend("the proxy is up again")
        await story.passes(10)


@runs_async
async def test_the_proxy_wants_a_sign_in() -> None:
    title = "The system's proxy wants a name and a password"
    async with told("proxy-sign-in", title, is_new=True, **FAR) as story:
        story.links.error = NoLinkError(Trouble.PROXY_SIGN_IN, "407")
        await story.connect()
        await story.passes(3)
        story.links.error = None
        await story.mend("they are given in the system's settings")
        await story.passes(3)


@runs_async
async def test_a_captive_portal() -> None:
    async with told("captive-portal", "A hotel's network wants a sign-in first", is_new=True, **FAR) as story:
        story.links.error = NoLinkError(Trouble.NOT_OURS, "answered 302")
        await story.connect()
        await story.passes(10)
        story.links.error = None
        await story.mend("somebody signs in there, in a web browser")
        await story.passes(10)


@runs_async
async def test_a_server_that_is_full() -> None:
    async with told("server-full", "The server is full, and asks to come back later") as story:
        await story.passes(3)
        await story.lose("the server sheds load", 1013, "over_capacity")
        await story.passes(12)


@runs_async
async def test_a_first_sign_in_that_nobody_answers() -> None:
    async with told("nobody-there", "Somebody joins a host that is not there yet", is_new=True) as story:
        story.door.answers, story.door.refuses = None, True
        await story.connect()
        await story.passes(12)
        await story.mend("the host is there")
        await story.passes(3)
