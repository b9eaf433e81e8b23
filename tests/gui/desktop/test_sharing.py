"""Two and more desktops on one project: host, join, write, leave, and what the guests keep."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.coming_in import dialog_at, hosts, joins, stops
from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.presses import choose_from_menu, press, press_named
from tests.helpers.run_async import until
from texswarm_desktop.ui.link_popover import LinkPopover
from texswarm_desktop.viewmodels.sharing import host_config
from texswarm_server.protocol.errors import DamagedDocumentError
from texswarm_server.protocol.invite_link import parse_invite_link
from texswarm_server.protocol.messages import CreateInvite, InviteCreated, RedeemInvite

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def test_a_desktop_that_hosts_misses_a_guest_as_soon_as_a_guest_misses_it() -> None:
    config = host_config(Path(), "127.0.0.1", "Ada")
    assert (config.heartbeat_s, config.dead_after_s, config.name) == (2, 6, "Ada")


async def guest_of(desks: Desks, host: LiveDesktop, name: str = "bob") -> LiveDesktop:
    guest = await desks.start(name, await hosts(host))
    await until(lambda: guest.is_live)
    return guest


async def viewer_link(host: LiveDesktop) -> str:
    link = parse_invite_link(await hosts(host))
    connection = host.opened.connection
    assert connection is not None
    answer = await connection.request(CreateInvite(document_id=link.document_id, role="viewer"))
    assert isinstance(answer, InviteCreated)
    return str(replace(link, token=answer.token))


@runs_at_desks
async def test_hosting_gives_a_link_and_says_so(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    await press_named(ada.window, "Share")
    await ada.until_said("Hosting for 0 people")
    assert ada.workspace.hosting is not None
    link = parse_invite_link(ada.workspace.hosting.link)
    assert (link.document_id, link.token is None) == (ada.opened.project.document_id, False)
    assert (link.address.tls, len(link.fingerprint or "")) == (True, 64)


@runs_at_desks
async def test_sharing_again_and_again_leaves_one_way_in_also_after_a_crash(desks: Desks) -> None:
    ada = await desks.start_with("ada", "one")
    tokens = []
    for has_crashed in (False, True, False):
        tokens.append(parse_invite_link(await hosts(ada)).token)
        assert [one.role for one in (await ada.workspace.owner.membership()).invitations] == ["editor"]
        if has_crashed:
            ada.workspace._sharing.invite_id = ""  # who is killed withdraws nothing
        await stops(ada)
    assert tokens[0] != tokens[1] == tokens[2]


@runs_at_desks
async def test_two_write_and_both_see_it(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    ada.type("A ")
    await bob.until_text("A paper")
    bob.type("B ")
    await ada.until_text("B ")
    await until(lambda: ada.is_live and bob.is_live and ada.text == bob.text)
    assert ada.says.startswith("Hosting for 1 person")


@runs_at_desks
async def test_to_host_twice_is_to_host_once(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    link = await hosts(ada)
    assert await hosts(ada) == link
    assert ada.notice == ""


@runs_at_desks
async def test_a_guest_finds_the_project_again_among_the_recent_ones(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    assert ada.workspace.hosting is not None
    (known, *_rest) = bob.settings.settings.recent
    assert (known.path, known.server) == (str(bob.opened.project.folder), ada.workspace.hosting.address)


@runs_at_desks
async def test_a_guest_with_a_viewers_link_sees_and_does_not_write(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    link = await viewer_link(ada)
    eve = await desks.start("eve", link)
    ada.type("seen ")
    await eve.until_text("seen paper")
    assert eve.opened.project.role == "viewer"


@runs_at_desks
async def test_a_viewer_cannot_write_and_is_told_so(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    eve = await desks.start("eve", await viewer_link(ada))
    await eve.until_said("Connected · reading only")
    eve.type("not for all ")
    assert (ada.text, eve.text, eve.opened.project.unacknowledged()) == ("paper", "paper", 0)
    assert "reading" in eve.window.notices.keys


@runs_at_desks
async def test_who_is_no_owner_is_told_that_owners_invite(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    await choose_from_menu(bob.window, "Share…")
    await bob.until_notice("Only an owner of the project can invite people")


@runs_at_desks
async def test_what_another_program_writes_into_a_viewers_folder_is_never_called_saved(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    eve = await desks.start("eve", await viewer_link(ada))
    await eve.until_said("Connected · reading only")
    folder = eve.opened.project.folder
    await desks.end(eve)
    (folder / "main.tex").write_text("not for all", encoding="utf-8")
    eve = await desks.start("eve")
    await eve.until_said("You may read this project, but not change it here.")
    assert ada.text == "paper"


@runs_at_desks
async def test_a_viewer_who_is_promoted_writes_at_once_and_sends_what_waited(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    link = await hosts(ada)
    eve = await desks.start("eve", await viewer_link(ada))
    await eve.until_said("Connected · reading only")
    eve.type("no")
    connection = eve.opened.connection
    assert connection is not None
    await connection.request(RedeemInvite(token=parse_invite_link(link).token or ""))
    await until(lambda: eve.opened.view.can_write)
    assert "reading" not in eve.window.notices.keys
    eve.type("for all ")
    await ada.until_text("for all paper")
    await until(lambda: eve.is_live)


@runs_at_desks
async def test_when_the_host_stops_the_guest_is_told_and_keeps_the_copy(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    await press_named(ada.window.status_bar, "Stop")
    await bob.until_said("The host ended the session, and your copy stays here.")
    bob.type("mine ")
    assert bob.text == "mine paper"
    await until(lambda: ada.says.startswith("Working locally"))


@runs_at_desks
async def test_a_host_can_stop_and_begin_again_and_the_guest_comes_back_with_what_was_written(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    await stops(ada)
    await bob.until_said("The host ended")
    bob.type("meanwhile ")

    await joins(bob, await hosts(ada))
    await ada.until_text("meanwhile paper")
    await until(lambda: bob.is_live)


@pytest.mark.parametrize("answers", [True, False])
@runs_at_desks
async def test_nobody_new_comes_by_the_link_of_a_sharing_that_is_over(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    """Also where the own server was too slow, or gone, when it was told so."""
    ada = await desks.start_with("ada", "paper")
    old = parse_invite_link(await hosts(ada))
    if not answers:
        monkeypatch.setattr(ada.opened.connection, "request", never_answered)
    await stops(ada)
    new = parse_invite_link(await hosts(ada))
    invitations = (await ada.workspace.owner.membership()).invitations
    assert [one.role for one in invitations].count("editor") == 1
    cy = await desks.start_with("cy", "own")
    await joins(cy, str(replace(new, token=old.token)))
    await cy.until_notice("The host withdrew this invitation")
    await joins(cy, str(new))
    await cy.until_text("paper")


async def never_answered(_order: object) -> None:
    """Stands for a request to a server that is too slow."""
    await asyncio.get_running_loop().create_future()


@runs_at_desks
async def test_a_link_to_the_project_that_is_open_is_just_followed(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    before = bob.opened.project
    assert ada.workspace.hosting is not None
    await joins(bob, ada.workspace.hosting.link)
    await until(lambda: bob.is_live)
    assert (bob.opened.project, bob.notice) == (before, "")


def breaks_once(desktop: LiveDesktop) -> None:
    """Let the next edit that arrives break the copy in memory."""
    document = desktop.opened.project.document

    def apply(update: bytes) -> bool:
        raise DamagedDocumentError("broken in a test")

    document.apply = apply  # type: ignore[method-assign]


@runs_at_desks
async def test_a_copy_that_an_edit_broke_is_loaded_again_by_itself(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    bob.type("mine ")
    broken = bob.opened.project
    breaks_once(bob)
    ada.type("more ")
    await bob.until_text("more ")
    await until(lambda: bob.is_live and bob.text == ada.text)
    assert (bob.opened.project is broken, bob.notice) == (False, "")
    bob.type("again ")
    await ada.until_text("again ")


@runs_at_desks
async def test_a_host_whose_copy_broke_goes_on_hosting(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    breaks_once(ada)
    bob.type("more ")
    await ada.until_text("more paper")
    await ada.until_said("Hosting for 1 person")
    assert ada.notice == ""


@runs_at_desks
async def test_a_project_goes_on_with_its_session_after_a_restart(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    before = session_of(bob)
    await desks.end(bob)
    bob = await desks.start("bob")
    await until(lambda: bob.is_live)
    assert session_of(bob) == before


def session_of(desktop: LiveDesktop) -> str:
    connection = desktop.opened.connection
    assert connection is not None
    assert connection.welcome is not None
    assert connection.welcome.session_id is not None
    return connection.welcome.session_id


@runs_at_desks
async def test_the_host_may_lose_all_sign_ins_and_host_again(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    await hosts(ada)
    await stops(ada)
    profile = desks.root / "profiles" / "ada"
    await desks.end(ada)
    for kept in ("secrets.json", "identity.json"):
        (profile / kept).unlink()

    again = await desks.start("ada")
    await hosts(again)
    assert again.notice == ""


@runs_at_desks
async def test_a_host_that_closes_the_window_ends_the_session(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    await desks.end(ada)
    await bob.until_said("The host ended the session")
    assert bob.text == "paper"


@runs_at_desks
async def test_a_guest_that_disconnects_is_no_guest_any_more(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    await press(bob.window.status_bar.details)
    await press_named(await dialog_at(bob, LinkPopover), "Disconnect")
    await until(lambda: bob.says.startswith("Working locally"))
    await until(lambda: ada.says.startswith("Hosting for 0 people"))


@runs_at_desks
async def test_who_works_locally_after_the_host_stopped_has_no_server_any_more(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    await press_named(ada.window.status_bar, "Stop")
    await press_named(bob.window.status_bar, "Work locally")
    await until(lambda: bob.says.startswith("Working locally"))
    assert bob.opened.project.server_link is None


@runs_at_desks
async def test_a_guest_comes_back_by_itself_at_the_next_start(desks: Desks) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await guest_of(desks, ada)
    await desks.end(bob)
    ada.type("more ")

    bob = await desks.start("bob")
    await bob.until_text("more paper")
    await until(lambda: bob.is_live)


@pytest.mark.parametrize("name", ["Ada Byron", ""])
@runs_at_desks
async def test_the_name_given_with_a_link_is_the_name_others_see(desks: Desks, name: str) -> None:
    ada = await desks.start_with("ada", "paper")
    bob = await desks.start_with("bob", "own")
    await joins(bob, await hosts(ada), name)
    await bob.until_text("paper")
    shown = name or "bob"
    await until(lambda: shown in [row.person.name for row in ada.opened.participants.rows])
