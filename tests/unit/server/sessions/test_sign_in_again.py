"""Coming again: refresh tokens that rotate, programs that keep no tokens, and people who were removed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.helpers.door import Door
from tests.helpers.records import records_in_memory
from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.ids import DocumentId, Lineage, UserId
from texswarm_server.sessions.administration import (
    change_role,
    remove_member,
    remove_user,
    restore_user,
    revoke_invite,
    revoke_tokens,
    unban_member,
)
from texswarm_server.sessions.audit import OPERATOR, AuditAction
from texswarm_server.sessions.credentials import hash_token
from texswarm_server.sessions.document_access import issue_return
from texswarm_server.sessions.records import DocumentRecord, Invite, User
from texswarm_server.sessions.sign_in import SignedIn, SpentTokenError

PAPER = DocumentId("paper")


@pytest.fixture
def door() -> Iterator[Door]:
    with records_in_memory() as records:
        records.put_document(
            DocumentRecord(document_id=PAPER, title="", lineage=Lineage("l"), owner_id=UserId("x"), updated_at=0)
        )
        yield Door(records)


def invite_id(token: str) -> str:
    return Invite(token_hash=hash_token(token), role="editor").invite_id


# ── refresh tokens ──────────────────────────────────────────────────────────────────────────────────────


def test_a_refresh_token_is_answered_with_a_successor_and_stays_valid_until_that_is_used(door: Door) -> None:
    first = door.knock(door.invite(), user_id="u-1").refresh_token
    lost = door.knock(first).refresh_token
    second = door.knock(first).refresh_token
    third = door.knock(second).refresh_token

    assert len({first, lost, second, third}) == 4
    assert door.knock(third).user.user_id == "u-1"


def test_a_spent_token_asks_to_revoke_the_sign_in(door: Door) -> None:
    ada = door.knock(door.invite(), user_id="u-1")
    second = door.knock(ada.refresh_token).refresh_token
    door.knock(second)

    with pytest.raises(SpentTokenError, match="token_revoked") as caught:
        door.knock(ada.refresh_token)

    assert caught.value.grant_id == ada.grant_id


@contextmanager
def forgotten_later(door: Door) -> Iterator[None]:
    """Put the records back afterwards to what they were before: a backup, and its return."""
    door.records._db.execute("SAVEPOINT backup")  # type: ignore[attr-defined]
    yield
    door.records._db.execute("ROLLBACK TO backup")  # type: ignore[attr-defined]
    door.now += 60


def test_records_that_were_put_back_know_a_later_token_again(door: Door) -> None:
    first = door.knock(door.invite(), user_id="u-1").refresh_token
    with forgotten_later(door):
        latest = first
        for _ in range(3):
            door.now += 1
            latest = door.knock(latest).refresh_token

    successor = door.knock(latest).refresh_token
    assert door.knock(successor).user.user_id == "u-1"
    with pytest.raises(SpentTokenError):
        door.knock(first)


def test_a_token_that_was_forgotten_and_is_not_the_latest_is_refused_once_a_later_one_came(door: Door) -> None:
    first = door.knock(door.invite(), user_id="u-1").refresh_token
    with forgotten_later(door):
        door.now += 1
        earlier = door.knock(first).refresh_token
        door.now += 1
        latest = door.knock(earlier).refresh_token
    door.knock(latest)

    assert door.refusal(earlier) == "token_invalid"


def test_a_token_of_a_sign_in_that_was_forgotten_or_revoked_is_refused(door: Door) -> None:
    with forgotten_later(door):
        unknown = door.knock(door.invite()).refresh_token
    ada = door.knock(door.invite(), user_id="u-1")
    with forgotten_later(door):
        door.now += 1
        later = door.knock(ada.refresh_token).refresh_token
    revoke_tokens(door.records, actor=OPERATOR, user_id="u-1", now=door.now)

    assert door.refusal(unknown) == "token_invalid"
    assert door.refusal(later) == "token_revoked"


def test_nobody_can_make_a_later_token(door: Door) -> None:
    first = door.knock(door.invite()).refresh_token
    with forgotten_later(door):
        door.now += 1
        later = door.knock(first).refresh_token
    secret, grant_id, made, key_id, seal = later.split(".")

    assert door.refusal(f"{secret}.{grant_id}.{int(made) + 1}.{key_id}.{seal}") == "token_invalid"
    assert door.refusal(f"{secret}x.{grant_id}.{made}.{key_id}.{seal}") == "token_invalid"
    assert door.refusal(f"{secret}.{grant_id}.{made}") == "token_invalid"


def test_of_two_successors_the_one_that_was_not_used_first_is_spent(door: Door) -> None:
    """A copied token and its original are each answered; as soon as both go on, they are told apart."""
    first = door.knock(door.invite()).refresh_token
    one, other = door.knock(first).refresh_token, door.knock(first).refresh_token
    door.knock(one)

    with pytest.raises(SpentTokenError):
        door.knock(other)


def test_a_client_that_never_uses_its_successors_goes_on_and_costs_little(door: Door) -> None:
    ada = door.knock(door.invite())
    for _ in range(100):
        door.now += 1
        latest = door.knock(ada.refresh_token).refresh_token

    assert len(door.records.refresh_tokens_of(ada.grant_id)) <= 20
    assert door.knock(latest).grant_id == ada.grant_id


def test_few_spent_tokens_are_remembered(door: Door) -> None:
    ada = door.knock(door.invite())
    token = ada.refresh_token
    for _ in range(100):
        door.now += 1
        token = door.knock(token).refresh_token

    assert len(door.records.refresh_tokens_of(ada.grant_id)) < 40
    assert door.refusal(ada.refresh_token) == "token_invalid"


def test_a_refresh_token_on_a_live_connection_is_answered_with_a_successor(door: Door) -> None:
    from texswarm_server.protocol.messages import Authentication

    ada = door.knock(door.invite(), user_id="u-1")
    again = Authentication(protocol=2, token=ada.refresh_token)
    renewed = door.rules.renew(door.records, again, door.now, ada)

    assert door.knock(renewed.refresh_token).user.user_id == "u-1"


# ── programs that keep no tokens ────────────────────────────────────────────────────────────────────────


def test_the_same_invite_and_id_are_the_same_user_however_often_the_invite_was_used(door: Door) -> None:
    invite = door.invite(max_uses=1)
    first = door.knock(invite, user_id="old", is_tokenless=True)
    door.confirm(first)

    again = door.knock(invite, user_id="old", is_tokenless=True)

    assert (again.user.user_id, again.grant_id) == ("old", first.grant_id)
    assert door.records.find_invite(hash_token(invite)).uses == 1
    assert door.refusal(invite, user_id="other", is_tokenless=True) == "invite_used_up"


def test_a_user_with_tokens_is_not_taken_over_by_invite_and_id(door: Door) -> None:
    invite = door.invite()
    door.confirm(door.knock(invite, user_id="ada"))

    assert door.knock(invite, user_id="ada", is_tokenless=True).user.user_id != "ada"


def test_a_user_without_tokens_is_not_taken_over_by_a_client_with_tokens(door: Door) -> None:
    invite = door.invite()
    door.knock(invite, user_id="old", is_tokenless=True)

    assert door.knock(invite, user_id="old").user.user_id != "old"


def test_another_invite_proves_nothing(door: Door) -> None:
    door.confirm(door.knock(door.invite(), user_id="old", is_tokenless=True))

    assert door.knock(door.invite(), user_id="old", is_tokenless=True).user.user_id != "old"


def test_who_says_no_id_is_the_guest_of_the_invite(door: Door) -> None:
    one, other = door.invite(max_uses=1), door.invite()
    guests = [door.knock(token, is_tokenless=True).user.user_id for token in (one, one, other, one)]

    assert guests[0] == guests[1] == guests[3] != guests[2]


def test_an_invite_that_was_revoked_or_expired_does_not_lead_back(door: Door) -> None:
    revoked, expired = door.invite(), door.invite(expires_at=door.now + 1)
    for token in (revoked, expired):
        door.knock(token, is_tokenless=True)
    revoke_invite(door.records, actor=OPERATOR, invite_id=invite_id(revoked), now=door.now)
    door.now += 1

    assert door.refusal(revoked, is_tokenless=True) == "invite_revoked"
    assert door.refusal(expired, is_tokenless=True) == "invite_expired"


def test_revoked_tokens_keep_out_who_keeps_none(door: Door) -> None:
    invite = door.invite()
    door.knock(invite, user_id="old", is_tokenless=True)
    revoke_tokens(door.records, actor=OPERATOR, user_id="old", now=door.now)

    assert door.refusal(invite, user_id="old", is_tokenless=True) == "token_revoked"


def test_a_refresh_token_is_not_rotated_for_who_could_not_be_told(door: Door) -> None:
    token = door.knock(door.invite()).refresh_token

    assert [door.knock(token, is_tokenless=True).refresh_token for _ in range(3)] == [None] * 3


# ── people who are signed in again by an invite of their own ────────────────────────────────────────────


def way_back(door: Door, user_id: str, ttl_s: float = 100.0) -> str:
    return issue_return(door.records, door.random, door.now, user_id=user_id, ttl_s=ttl_s).token


def settled(door: Door, signed_in: SignedIn) -> None:
    door.records.settle_registration(signed_in.taken_back_by, signed_in.user.user_id)


def test_who_lost_every_token_comes_back_as_the_same_user(door: Door) -> None:
    ada = door.knock(door.invite(role="owner"), user_id="ada")
    door.confirm(ada)
    revoke_tokens(door.records, actor=OPERATOR, user_id="ada", now=door.now)
    assert door.refusal(ada.refresh_token) == "token_revoked"

    again = door.knock(way_back(door, "ada"), user_id="a new computer", display_name="Ada")

    assert (again.user.user_id, again.user.can_create) == ("ada", True)
    assert door.knock(again.refresh_token).user.user_id == "ada"
    assert door.refusal(ada.refresh_token) == "token_revoked"


def test_a_way_back_works_until_the_answer_has_arrived_and_no_longer(door: Door) -> None:
    door.confirm(door.knock(door.invite(), user_id="ada"))
    invite = way_back(door, "ada")
    lost, heard = door.knock(invite), door.knock(invite)
    assert lost.grant_id != heard.grant_id
    settled(door, heard)

    assert door.refusal(invite) == "invite_used_up"
    assert door.knock(heard.refresh_token).user.user_id == "ada"


def test_a_way_back_expires_is_revoked_and_leads_nobody_else(door: Door) -> None:
    for name in ("ada", "bob"):
        door.confirm(door.knock(door.invite(), user_id=name))
    expired, revoked, fresh = way_back(door, "ada", 1.0), way_back(door, "ada"), way_back(door, "ada")
    revoke_invite(door.records, actor=OPERATOR, invite_id=invite_id(revoked), now=door.now)
    door.now += 2

    assert (door.refusal(expired), door.refusal(revoked)) == ("invite_expired", "invite_revoked")
    with pytest.raises(RejectedError, match="identity_mismatch"):
        door.rules.redeem(door.records, fresh, UserId("bob"), door.now)
    assert door.knock(fresh).user.user_id == "ada"


def test_no_way_leads_back_for_who_was_removed(door: Door) -> None:
    door.confirm(door.knock(door.invite(), user_id="ada"))
    invite = way_back(door, "ada")
    remove_user(door.records, actor=OPERATOR, user_id="ada", now=door.now, revoke_invites=False)

    assert door.refusal(invite) == "removed"


def test_who_keeps_no_tokens_comes_by_the_way_back_from_then_on(door: Door) -> None:
    door.knock(door.invite(), user_id="old", is_tokenless=True)
    revoke_tokens(door.records, actor=OPERATOR, user_id="old", now=door.now)
    invite = way_back(door, "old")
    first = door.knock(invite, is_tokenless=True)
    settled(door, first)

    assert [door.knock(invite, is_tokenless=True).grant_id for _ in range(3)] == [first.grant_id] * 3
    assert door.refusal(invite) == "invite_used_up"


@pytest.mark.parametrize("reserved", ["operator", "server"])
def test_nobody_is_called_as_the_log_calls_the_operator(door: Door, reserved: str) -> None:
    assert door.knock(door.invite(), user_id=reserved).user.user_id != reserved


# ── people who were removed ─────────────────────────────────────────────────────────────────────────────


def test_a_removed_user_comes_back_by_nothing_until_restored(door: Door) -> None:
    invite, fresh = door.invite(), door.invite()
    ada = door.knock(invite, user_id="u-1")
    access = door.access_token(ada)
    remove_user(door.records, actor=OPERATOR, user_id="u-1", now=door.now)

    for token in (invite, fresh, access, ada.refresh_token):
        assert door.refusal(token, user_id="u-1") == "removed"
    assert door.refusal(invite) == "invite_revoked"
    restore_user(door.records, actor=OPERATOR, user_id="u-1", now=door.now)
    assert door.knock(ada.refresh_token).user.user_id == "u-1"


def redeem(door: Door, token: str, user_id: str = "u-1") -> None:
    door.rules.redeem(door.records, token, UserId(user_id), door.now)


def test_who_was_taken_out_of_a_document_comes_back_by_a_later_invite_only(door: Door) -> None:
    door.knock(door.invite(), user_id="u-1")
    early = door.invite(document_id=PAPER, issued_at=door.now)
    redeem(door, early)
    remove_member(door.records, actor=OPERATOR, user_id="u-1", document_id=PAPER, now=door.now)

    with pytest.raises(RejectedError, match="removed"):
        redeem(door, early)
    assert door.records.role_of(UserId("u-1"), PAPER) is None
    redeem(door, door.invite(document_id=PAPER, issued_at=door.now + 1))
    assert door.records.role_of(UserId("u-1"), PAPER) == "editor"


def test_who_was_banned_comes_back_by_no_invite_until_unbanned(door: Door) -> None:
    door.knock(door.invite(), user_id="u-1")
    came_by = door.invite(document_id=PAPER)
    redeem(door, came_by)
    remove_member(door.records, actor=OPERATOR, user_id="u-1", document_id=PAPER, now=door.now, ban=True)
    later = door.invite(document_id=PAPER, issued_at=door.now + 1)

    assert door.refusal(came_by, user_id="somebody new") == "invite_revoked"
    with pytest.raises(RejectedError, match="removed"):
        redeem(door, later)
    unban_member(door.records, actor=OPERATOR, user_id="u-1", document_id=PAPER, now=door.now)
    redeem(door, later)


def test_an_invite_of_before_gives_no_role_back_that_was_taken(door: Door) -> None:
    """Roles only rise by invites; an owner who lowered one is not undone by the same invite."""
    door.knock(door.invite(), user_id="u-1")
    editors = door.invite(document_id=PAPER, issued_at=door.now)
    redeem(door, editors)
    change_role(door.records, actor=OPERATOR, user_id="u-1", document_id=PAPER, role="viewer", now=door.now)
    door.now += 1

    redeem(door, editors)

    assert door.records.role_of(UserId("u-1"), PAPER) == "viewer"


def test_coming_in_is_recorded_without_secrets(door: Door) -> None:
    door.records.put_user(User(user_id=UserId("u-0")))
    token = door.invite(document_id=PAPER)
    ada = door.knock(token, user_id="u-1")
    redeem(door, token, "u-0")

    entries = door.records.audit()
    assert [(each.action, each.user_id, each.reference, each.role) for each in entries] == [
        (AuditAction.USER_REGISTERED, "u-1", invite_id(token), "editor"),
        (AuditAction.ROLE_CHANGED, "u-1", "", "editor"),
        (AuditAction.INVITE_REDEEMED, "u-0", invite_id(token), "editor"),
        (AuditAction.ROLE_CHANGED, "u-0", "", "editor"),
    ]
    assert entries[0].address == "192.0.2.1"
    assert not any(str(secret) in str(entries) for secret in (token, ada.refresh_token))
