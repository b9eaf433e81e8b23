"""A desktop and a server elsewhere: links that are good and links that are not, choices, different histories."""

import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.helpers.at_a_window import connects, invites, is_asked_which, opens_folder, shares_at, shares_there
from tests.helpers.coming_in import asks_to_join, dialog_at, joins
from tests.helpers.live_desktops import Desks, LiveDesktop, runs_at_desks
from tests.helpers.presses import buttons, press, press_named, write_in
from tests.helpers.run_async import until
from texswarm_desktop.client.status import StatusAction
from texswarm_desktop.client.timing import LAN, REMOTE
from texswarm_desktop.services.project import Project
from texswarm_desktop.ui.dialogs.choose_dialog import ChooseDialog
from texswarm_desktop.ui.dialogs.histories_sheet import HistoriesSheet
from texswarm_desktop.ui.link_popover import LinkPopover
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.codec import encode
from texswarm_server.protocol.ids import Lineage
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link
from texswarm_server.protocol.messages import DocumentClosed

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@asynccontextmanager
async def server_in(root: Path, **options: Any) -> AsyncIterator[CollabServer]:
    async with CollabServer(ServerConfig(data=root / "server", port=0, **options)) as server:
        yield server


async def owner_link(server: CollabServer) -> InviteLink:
    return InviteLink(server.address, await server.create_invite("owner"))


async def shared(desks: Desks, server: CollabServer, text: str = "paper") -> LiveDesktop:
    ada = await desks.start_with("ada", text)
    await shares_at(ada, str(await owner_link(server)))
    return ada


@asynccontextmanager
async def nobody() -> AsyncIterator[str]:
    """Yield an address at which connections are accepted and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


async def with_another_history(desks: Desks, original: LiveDesktop, link: InviteLink | None) -> Path:
    """Make a folder that holds the same document with a history of its own, linked to a server or not."""
    folder = desks.root / "papers" / "another history"
    with ThreadPoolExecutor(1) as executor:
        project = await Project.create_replica(
            folder, original.opened.project.document_id, lineage := str(uuid4()), store_executor=executor
        )
        async with project:
            project.document.initialise("Another", Lineage(lineage))
            project.document.add_file("main.tex", "bob's own")
            if link is not None:
                project.bind_server(link)
            await project.flush()
    return folder


def refused_link(server: CollabServer, token: str, document_id: str | None = None) -> str:
    return str(InviteLink(server.address, token, document_id))


@runs_at_desks
async def test_a_forged_invitation_is_told_and_the_project_stays(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await desks.start_with("ada", "own")
        await joins(ada, refused_link(server, "forged"))
        await ada.until_notice("The server does not know this invitation")
    assert (ada.text, ada.says.startswith("Working locally")) == ("own", True)


@runs_at_desks
async def test_a_server_that_was_started_open_is_entered_without_an_invitation(desks: Desks) -> None:
    async with server_in(desks.root, open=True) as server:
        ada = await desks.start_with("ada", "paper")
        await connects(ada, str(server.address))
        await shares_there(ada)
        await until(lambda: ada.is_live)
        bob = await desks.start_with("bob", "own")
        await joins(bob, str(InviteLink(server.address, None, ada.opened.project.document_id)))
        await bob.until_text("paper")


@runs_at_desks
async def test_an_invitation_that_could_not_be_used_yet_is_used_after_a_restart(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        link, port = await owner_link(server), server.address.port
    ada = await desks.start_with("ada", "own")
    await joins(ada, str(link))
    await ada.until_said("Reconnecting")
    await desks.end(ada)
    async with CollabServer(ServerConfig(data=desks.root / "server", port=port)) as server:
        ada = await desks.start("ada")
        await connects(ada, str(server.address))
        await is_asked_which(ada)


@runs_at_desks
async def test_who_is_removed_from_the_server_is_told_and_goes_on_alone(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await shared(desks, server)
        connection = ada.opened.connection
        assert connection is not None
        fact = DocumentClosed(document_id=ada.opened.project.document_id, handle=1, code="removed")
        connection._session.received(encode(fact))
        await ada.until_said("The host removed you from this project, and your copy stays here.")
        assert ada.status.line.action is StatusAction.WORK_LOCALLY
        ada.type("alone ")
        await press_named(ada.window.status_bar, "Work locally")
        await ada.until_said("Working locally")
        assert (ada.text, ada.notice) == ("alone paper", "")


@runs_at_desks
async def test_an_expired_invitation_is_told(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        token = await server.create_invite("owner", ttl_s=-1.0)
        ada = await desks.start_with("ada", "own")
        await connects(ada, str(server.address), token)
        await ada.until_notice("This invitation has expired")


@runs_at_desks
async def test_a_used_invitation_is_told(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        link = InviteLink(server.address, await server.create_invite("owner", uses=1))
        ada, bob = await desks.start_with("ada", "a"), await desks.start_with("bob", "b")
        await shares_at(ada, str(link))
        await joins(bob, str(link))
        await bob.until_notice("already used")


@runs_at_desks
async def test_a_document_that_is_not_there_is_told(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        token = await server.create_invite("owner")
        ada = await desks.start_with("ada", "own")
        await joins(ada, refused_link(server, token, str(uuid4())))
        await ada.until_notice("no such project")
    assert ada.says.startswith("Working locally")


@pytest.mark.parametrize("text", ["", "   ", "texswarm://", "ftp://example.org", "two words"])
@runs_at_desks
async def test_what_is_no_link_is_told_in_the_dialog(desks: Desks, text: str) -> None:
    ada = await desks.start_with("ada", "own")
    dialog = await asks_to_join(ada)
    await write_in(dialog.link, text)
    await press_named(dialog, "Join")
    await until(dialog.problem.isVisible)
    assert dialog.problem.text() == "This is not a link, a code or an address."
    await press_named(dialog, "Cancel")


@runs_at_desks
async def test_what_is_no_link_is_told_also_when_the_system_hands_it_over(desks: Desks) -> None:
    ada = desks.begin("ada", "texswarm://")
    await ada.until_notice("an address cannot be used")


@runs_at_desks
async def test_an_attempt_can_be_cancelled_and_is_not_called_an_error(desks: Desks) -> None:
    async with nobody() as address:
        ada = await desks.start_with("ada", "own")
        await connects(ada, address)
        await ada.until_said(f"Connecting to {address}")
        await press_named(ada.window.status_bar, "Cancel")
        await ada.until_said("Working locally")
    assert ada.notice == ""


@runs_at_desks
async def test_a_newer_wish_takes_the_place_of_an_attempt(desks: Desks) -> None:
    async with nobody() as address:
        ada = await desks.start_with("ada", "own")
        await connects(ada, address)
        await ada.until_said("Connecting")
        await opens_folder(ada, desks.folder("other", "another"))
        await ada.until_text("another")
    assert ada.says.startswith("Working locally")


@runs_at_desks
async def test_a_project_can_be_hosted_while_a_server_is_being_reached(desks: Desks) -> None:
    async with nobody() as address:
        ada = await desks.start_with("ada", "own")
        await connects(ada, address)
        await press_named(ada.window, "Share")
        await ada.until_said("Hosting for 0 people")


@runs_at_desks
async def test_a_window_can_be_closed_while_a_server_is_being_reached(desks: Desks) -> None:
    async with nobody() as address:
        ada = await desks.start_with("ada", "own")
        await connects(ada, address)
        await ada.until_said("Connecting")
        await desks.end(ada)
    assert ada.workspace.opened is None


@runs_at_desks
async def test_a_failed_attempt_leaves_the_link_that_stands(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await shared(desks, server)
        async with server_in(desks.root / "other") as other:
            await connects(ada, str(other.address), "forged")
            await ada.until_notice("The server does not know this invitation")
        ada.type("more ")
        await until(lambda: ada.is_live and ada.opened.project.unacknowledged() == 0)
    assert ada.text == "more paper"


@runs_at_desks
async def test_an_attempt_elsewhere_that_fails_leaves_the_link_that_stands(desks: Desks) -> None:
    async with server_in(desks.root) as server, nobody() as address:
        ada = await shared(desks, server)
        await connects(ada, address)
        await ada.until_said(f"Connecting to {address}")
        await press_named(ada.window.status_bar, "Cancel")
        await until(lambda: ada.is_live)
        assert ada.status.facts.server_name == str(server.address)


@runs_at_desks
async def test_a_server_without_a_document_in_the_link_offers_a_choice(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await shared(desks, server)
        await connects(ada, str(server.address))
        dialog = await is_asked_which(ada)
        assert [dialog.list.item(at).text() for at in range(dialog.list.count())] == [
            f"{ada.opened.view.title}   yours · 1 here"
        ]
        assert buttons(dialog, f"Share “{ada.opened.view.title}” here")
        await until(lambda: ada.is_live)


@runs_at_desks
async def test_the_chosen_document_is_opened(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await shared(desks, server)
        await opens_folder(ada, desks.folder("other", "other"))
        await ada.until_text("other")
        await connects(ada, str(server.address))
        await press_named(await is_asked_which(ada), "Open")
        await ada.until_text("paper")
        await until(lambda: ada.is_live)


@runs_at_desks
async def test_a_project_is_put_on_a_server_from_the_choice_and_others_can_be_invited(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await desks.start_with("ada", "paper")
        await connects(ada, str(await owner_link(server)))
        await shares_there(ada)
        await until(lambda: ada.is_live)
        bob = await desks.start("bob", await invites(ada))
        await bob.until_text("paper")


@runs_at_desks
async def test_who_may_not_create_there_is_not_offered_to_and_works_on(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        await shared(desks, server)
        eve = await desks.start_with("eve", "own")
        await connects(eve, str(server.address), await server.create_invite("editor"))
        dialog = await is_asked_which(eve)
        assert (dialog.list.count(), buttons(dialog, f"Share “{eve.opened.view.title}” here")) == (0, [])
        await press_named(dialog, "Cancel")
        await eve.until_said("Working locally")
        assert eve.opened.project.server_link is None


@runs_at_desks
async def test_a_new_invitation_lets_somebody_back_in_who_was_signed_out(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await shared(desks, server)
        bob = await desks.start("bob", await invites(ada))
        await until(lambda: bob.is_live)
        await desks.end(bob)
        (desks.root / "profiles" / "bob" / "secrets.json").unlink()

        bob = await desks.start("bob")
        await bob.until_said("ask for an invitation")
        bob.type("alone ")
        await joins(bob, await invites(ada))
        await ada.until_text("alone paper")
        await until(lambda: bob.is_live)


@runs_at_desks
async def test_who_signs_in_again_at_a_server_is_in_the_open_project_at_once(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await shared(desks, server)
        bob = await desks.start("bob", await invites(ada))
        await until(lambda: bob.is_live)
        await desks.end(bob)
        secrets = desks.root / "profiles" / "bob" / "secrets.json"
        secrets.rename(secrets.with_suffix(".aside"))

        bob = await desks.start("bob")
        await bob.until_said("ask for an invitation")
        bob.type("alone ")
        secrets.with_suffix(".aside").rename(secrets)
        await connects(bob, str(server.address))
        await ada.until_text("alone paper")
        assert bob.window.findChild(ChooseDialog) is None


@runs_at_desks
async def test_another_history_of_the_document_is_never_mixed_in(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        ada = await shared(desks, server, "the server's")
        folder = await with_another_history(desks, ada, None)
        bob = await desks.start("bob", folder)
        await joins(bob, await invites(ada))
        await bob.until_text("the server's")
        assert bob.opened.project.folder != folder
        assert (folder / "main.tex").read_text() == "bob's own"


async def choose_history(sheet: HistoriesSheet, option: str) -> None:
    await press(getattr(sheet, option))
    await press_named(sheet, "Continue")


async def facing_another_history(desks: Desks, ada: LiveDesktop) -> LiveDesktop:
    """Bob, whose project is a copy of Ada's with another history, linked to her server, and the sheet that asks."""
    invited = await invites(ada)
    bob = await desks.start_with("bob", "something else")
    await joins(bob, invited)
    await bob.until_text(ada.text)
    await opens_folder(bob, await with_another_history(desks, ada, parse_invite_link(invited)))
    await bob.until_notice("different histories")
    await bob.until_said("different histories")
    await press_named(bob.window.status_bar, "Choose…")
    await until(lambda: bob.window.findChild(HistoriesSheet) is not None, "the sheet")
    return bob


@runs_at_desks
async def test_two_histories_are_compared_and_nothing_changes_until_somebody_chooses(desks: Desks) -> None:
    async with server_in(desks.root) as server:
        bob = await facing_another_history(desks, await shared(desks, server, "the server's"))
        sheet = bob.window.findChild(HistoriesSheet)
        assert sheet.list.item(0).text().startswith("main.tex   other text on the server")
        await press_named(sheet, "Cancel")
        await bob.until_said("different histories")
        assert bob.text == "bob's own"


@pytest.mark.parametrize("choice", ["keep_both", "take_theirs"])
@runs_at_desks
async def test_of_two_histories_one_is_chosen_and_nothing_is_lost(desks: Desks, choice: str) -> None:
    async with server_in(desks.root) as server:
        bob = await facing_another_history(desks, await shared(desks, server, "the server's"))
        folder = bob.opened.project.folder
        sheet = bob.window.findChild(HistoriesSheet)
        await choose_history(sheet, choice)
        await bob.until_text("the server's")
        await until(lambda: bob.is_live)
        await bob.opened.project.flush()
        aside = Path(bob.window.notices.text_of("aside").removeprefix("Your copy is kept: It is in "))
        assert (aside / "main.tex").read_text() == "bob's own"
        assert aside.is_relative_to(folder / ".texswarm") == (choice == "take_theirs")
        assert (folder / "main.tex").read_text() == "the server's"
        assert bob.notice == ""


async def meeting_the_original(desks: Desks, ada: LiveDesktop) -> LiveDesktop:
    """Bob, whose open project is a copy of Ada's that went its own way, and the sheet that asks at her link."""
    invited = await invites(ada)
    bob = await desks.start_with("bob", "something else")
    elsewhere = bob.opened.project.folder
    await joins(bob, invited)
    await bob.until_text("the original")
    copy = bob.opened.project.folder
    await opens_folder(bob, elsewhere)
    await bob.until_text("something else")
    with ThreadPoolExecutor(1) as executor:
        async with await Project.open(copy, store_executor=executor) as project:
            project.begin_own_life()
            project.document.add_file("mine.tex", "bob's own")
            await project.flush()
    await opens_folder(bob, copy)
    await bob.until_text("the original")
    await joins(bob, invited)
    await until(lambda: bob.window.findChild(HistoriesSheet) is not None, "the sheet")
    return bob


@pytest.mark.parametrize("choice", ["keep_both", "take_theirs", "merge"])
@runs_at_desks
async def test_a_copy_of_the_same_origin_is_kept_given_up_or_merged(desks: Desks, choice: str) -> None:
    async with server_in(desks.root) as server:
        ada = await shared(desks, server, "the original")
        bob = await meeting_the_original(desks, ada)
        copy, sheet = bob.opened.project.folder, bob.window.findChild(HistoriesSheet)
        assert [sheet.list.item(at).text() for at in range(sheet.list.count())] == ["mine.tex   only here"]
        await choose_history(sheet, choice)
        await until(lambda: bob.is_live and bob.opened.project.document_id == ada.opened.project.document_id)
        await bob.until_text("the original")
        await bob.opened.project.flush()
        assert (bob.opened.project.folder == copy) == (choice != "keep_both")
        assert (copy / "mine.tex").exists() == (choice != "take_theirs")
        if choice == "merge":
            await until(lambda: "mine.tex" in {one.path for one in ada.opened.project.document.files.values()})
        else:
            assert "mine.tex" not in {one.path for one in bob.opened.project.document.files.values()}


@runs_at_desks
async def test_where_there_is_no_way_out_of_the_network_who_is_in_it_is_still_reached(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await desks.start_with("ada", "own")
    await connects(ada, "192.0.2.1:8091")
    await ada.until_said("Connecting to 192.0.2.1:8091")
    connection = ada.workspace._reach.pending
    assert connection is not None
    for profile, told in ((REMOTE, [False, True]), (LAN, [True])):
        heard: list[bool] = []
        connection.profile = profile
        monkeypatch.setattr(connection, "network_changed", heard.append)
        for is_there in (False, True):
            ada.workspace.way_out_changed(is_there)
        assert heard == told


@runs_at_desks
async def test_what_is_typed_waits_for_no_server_where_the_project_is_on_none(desks: Desks) -> None:
    ada = await desks.start_with("ada", "own")
    ada.type("more ")
    await connects(ada, "192.0.2.1:8091")
    await ada.until_said("Connecting to 192.0.2.1:8091")
    assert "waiting" not in ada.says


@runs_at_desks
async def test_a_network_that_goes_away_is_a_status_and_no_error(desks: Desks) -> None:
    ada = await desks.start_with("ada", "own")
    await connects(ada, "192.0.2.1:8091")
    await ada.until_said("Connecting to 192.0.2.1:8091")
    ada.workspace.network_changed(is_online=False)
    await ada.until_said("Offline")
    await press(ada.window.status_bar.details)
    await press_named(await dialog_at(ada, LinkPopover), "Disconnect")
    await ada.until_said("Working locally")
    assert ada.notice == ""
