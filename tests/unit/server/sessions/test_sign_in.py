"""Who a connection is: every rule of signing in, on the real tables in memory."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.helpers.door import IDLE_S, Door
from tests.helpers.records import records_in_memory
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.ids import DocumentId, Lineage, UserId
from texswarm_server.protocol.messages import Authentication
from texswarm_server.sessions.records import DocumentRecord, Removal, User
from texswarm_server.sessions.sign_in import SignedIn

PAPER = DocumentId("paper")


@pytest.fixture
def door() -> Iterator[Door]:
    with records_in_memory() as records:
        yield Door(records)


def test_an_invite_registers_the_user_it_is_asked_for(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1", display_name=" Ada ", color="#a1B2c3")

    assert door.records.find_user(UserId("u-1")) == ada.user
    assert (ada.user.display_name, ada.user.color, ada.user.can_create) == ("Ada", "#a1B2c3", False)
    assert ada.refresh_token


def test_an_invite_without_a_wanted_id_makes_a_new_user(door: Door) -> None:
    invite = door.invite()

    assert door.knock(invite).user.user_id != door.knock(invite).user.user_id


def test_an_invite_gives_its_role(door: Door) -> None:
    door.records.put_document(
        DocumentRecord(document_id=PAPER, title="", lineage=Lineage("l"), owner_id=UserId("x"), updated_at=0)
    )
    viewer = door.knock(door.invite(role="viewer", document_id=PAPER)).user
    host = door.knock(door.invite(role="owner")).user

    assert door.records.role_of(viewer.user_id, PAPER) == "viewer"
    assert (viewer.can_create, host.can_create) == (False, True)


def test_a_known_user_is_not_taken_over_with_an_invite(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1")
    mallory = door.knock(door.invite(), user_id="u-1")

    assert mallory.user.user_id != ada.user.user_id


@pytest.mark.parametrize("is_ban", [True, False])
def test_who_was_taken_out_and_forgot_the_sign_in_comes_back_as_nobody_new(door: Door, is_ban: bool) -> None:
    paper = DocumentRecord(document_id=PAPER, title="", lineage=Lineage("l"), owner_id=UserId("x"), updated_at=0)
    door.records.put_document(paper)
    before = door.invite(document_id=PAPER, issued_at=door.now)
    eve = door.knock(before, user_id="u-1")
    door.confirm(eve)
    door.now += 1.0
    door.records.put_removal(Removal(user_id=eve.user.user_id, document_id=PAPER, removed_at=door.now, is_ban=is_ban))
    door.now += 1.0
    after = door.invite(document_id=PAPER, issued_at=door.now)

    assert door.refusal(before, user_id="u-1") == "removed"
    assert door.knock(before, user_id="u-2").user.user_id == "u-2"
    if is_ban:
        assert door.refusal(after, user_id="u-1") == "removed"
    else:
        assert door.knock(after, user_id="u-1").user.user_id != "u-1"


def test_a_retry_after_a_lost_answer_is_the_same_user_and_no_second_use(door: Door) -> None:
    invite = door.invite(max_uses=1)
    first = door.knock(invite, user_id="u-1")
    again = door.knock(invite, user_id="u-1", display_name="Ada")

    assert again.user.user_id == first.user.user_id == "u-1"
    assert door.refusal(first.refresh_token) == "token_revoked"
    assert door.refusal(door.access_token(first)) == "token_revoked"
    assert door.knock(again.refresh_token).user.display_name == "Ada"


def test_once_confirmed_the_same_invite_does_not_prove_the_user(door: Door) -> None:
    invite = door.invite()
    first = door.knock(invite, user_id="u-1")
    door.confirm(first)

    assert door.knock(invite, user_id="u-1").user.user_id != "u-1"


def test_invites_that_are_over_are_refused_with_their_code(door: Door) -> None:
    used_up = door.invite(max_uses=1)
    door.knock(used_up)

    assert door.refusal(used_up) == "invite_used_up"
    assert door.refusal(door.invite(expires_at=door.now)) == "invite_expired"
    assert door.refusal(door.invite(is_revoked=True)) == "invite_revoked"
    assert door.refusal("txi_unknown") == "token_invalid"
    assert door.refusal("whatever") == "token_invalid"
    assert door.refusal(None) == "token_missing"


def test_a_refused_invite_leaves_no_user(door: Door) -> None:
    door.refusal(door.invite(is_revoked=True), user_id="u-1")

    assert door.records.find_user(UserId("u-1")) is None


def test_an_access_token_is_its_user(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1", display_name="Ada")
    token = door.access_token(ada)

    assert door.knock(token).user == ada.user
    assert door.knock(token, user_id="u-1", display_name="Countess").user.display_name == "Countess"
    assert door.refusal(token, user_id="u-2") == "identity_mismatch"
    door.now += 3600
    assert door.refusal(token) == "token_expired"


def test_an_access_token_is_used_on_while_it_is_young(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1")
    token = door.access_token(ada)
    expires_at = door.now + 3600

    again = door.knock(token)
    assert (again.token, again.token_expires_at) == (token, expires_at)
    door.now += 1801
    assert door.knock(token).token == ""
    assert (ada.token, door.knock(ada.refresh_token).token) == ("", "")


def test_a_refresh_token_is_its_user_until_it_rests_too_long(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1")
    door.now += IDLE_S
    assert door.knock(ada.refresh_token).user.user_id == "u-1"
    assert door.refusal(ada.refresh_token, user_id="u-2") == "identity_mismatch"
    door.now += IDLE_S
    assert door.knock(ada.refresh_token).grant_id == ada.grant_id
    door.now += IDLE_S + 1

    assert door.refusal(ada.refresh_token) == "token_expired"
    assert door.refusal("txr_unknown") == "token_invalid"


def test_a_revoked_sign_in_ends_both_its_tokens(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1")
    access = door.access_token(ada)
    door.records.revoke_grants_of(ada.user.user_id)

    assert (door.refusal(access), door.refusal(ada.refresh_token)) == ("token_revoked", "token_revoked")


def test_a_removed_user_stays_out(door: Door) -> None:
    invite = door.invite()
    ada = door.knock(invite, user_id="u-1")
    door.records.put_user(replace(ada.user, is_removed=True))

    assert door.refusal(ada.refresh_token) == "removed"
    assert door.refusal(door.access_token(ada)) == "removed"
    assert door.refusal(invite, user_id="u-1") == "removed"


def test_a_token_of_a_user_nobody_knows_is_refused(door: Door) -> None:
    assert door.refusal(door.tokens.issue(UserId("ghost"), "g", door.now)[0]) == "token_invalid"


@pytest.mark.parametrize("name", ["x" * 21, "a\nb", "\x00", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(door: Door, name: str) -> None:
    assert door.refusal(door.invite(), display_name=name) == "name_invalid"


def test_a_colour_that_is_none_is_left_out(door: Door) -> None:
    assert door.knock(door.invite(), color="url(x)").user.color == ""


def test_an_open_server_lets_everybody_in_but_nobody_take_over() -> None:
    with records_in_memory() as records:
        door = Door(records, is_open=True)
        ada = door.knock(None, user_id="u-1")
        assert ada.user.can_create
        assert door.knock(None, user_id="u-1").user.user_id == "u-1"
        door.confirm(ada)

        assert door.knock(None, user_id="u-1").user.user_id != "u-1"


# ── again on a live connection ──────────────────────────────────────────────────────────────────────────


def renew(door: Door, current: SignedIn, token: str | None, **details: object) -> SignedIn:
    message = Authentication(protocol=2, token=token, **details)  # type: ignore[arg-type]
    return door.rules.renew(door.records, message, door.now, current)


def test_the_same_user_changes_name_and_token(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1", display_name="Ada")

    renewed = renew(door, ada, ada.refresh_token, display_name="Countess")

    assert (renewed.user.display_name, renewed.grant_id) == ("Countess", ada.grant_id)
    assert renew(door, ada, None, user_id="u-1", display_name="A").user.display_name == "A"


def test_another_user_is_a_mismatch(door: Door) -> None:
    ada, bob = door.knock(door.invite(), user_id="u-1"), door.knock(door.invite(), user_id="u-2")
    for token, details in ((None, {"user_id": "u-2"}), (bob.refresh_token, {}), (door.access_token(bob), {})):
        with pytest.raises(RejectedError, match="identity_mismatch"):
            renew(door, ada, token, **details)


def test_an_invite_on_a_live_connection_adds_its_rights(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1")
    host = door.invite(role="owner", max_uses=1)

    assert renew(door, ada, host).user.can_create
    assert door.rules.redeem(door.records, host, ada.user.user_id, door.now).uses == 1, "once for one user"
    bob = door.knock(door.invite(), user_id="u-2")
    with pytest.raises(RejectedError, match="invite_used_up"):
        door.rules.redeem(door.records, host, bob.user.user_id, door.now)


def test_a_user_who_was_removed_meanwhile_is_told(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1")
    door.records.put_user(User(user_id=UserId("u-1"), is_removed=True))
    with pytest.raises(RejectedError, match="removed"):
        renew(door, ada, None)
