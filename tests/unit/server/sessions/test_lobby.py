"""Who waits at the door of a document, for how long, and who may not knock for a while."""

import pytest

from texswarm_server.protocol.errors import RejectedError
from texswarm_server.protocol.ids import DocumentId, UserId
from texswarm_server.protocol.messages import Knock
from texswarm_server.sessions.lobby import Lobby, Waiting

PAPER, BOOK = DocumentId("paper"), DocumentId("book")


def who(user_id: str, since: float = 0.0, *, document_id: DocumentId = PAPER, name: str = "") -> Waiting:
    knock = Knock(user_id=user_id, display_name=name or user_id, color="", role="editor", asked_at=1000 + since)
    return Waiting(document_id=document_id, knock=knock, since=since)


def names(waiting: list[Waiting]) -> list[str]:
    return [one.knock.display_name for one in waiting]


def test_the_longest_waiting_stands_first_at_each_door() -> None:
    lobby = Lobby(600)
    assert [lobby.enter(one) for one in (who("bob"), who("cy", 1), who("dan", 2, document_id=BOOK))] == [True] * 3
    assert (names(lobby.waiting(PAPER)), names(lobby.waiting(BOOK))) == (["bob", "cy"], ["dan"])


def test_to_knock_again_changes_the_name_and_not_since_when() -> None:
    lobby = Lobby(600)
    lobby.enter(who("bob"))
    assert not lobby.enter(who("bob", 300))
    assert lobby.enter(who("bob", 300, name="Bobby"))
    (one,) = lobby.waiting(PAPER)
    assert (one.knock.display_name, one.knock.asked_at, one.since) == ("Bobby", 1000, 0)


def test_a_place_is_given_up_for_one_document_or_for_all() -> None:
    lobby = Lobby(600)
    for one in (who("bob"), who("bob", document_id=BOOK), who("cy")):
        lobby.enter(one)
    assert names(lobby.leave(UserId("bob"), BOOK)) == ["bob"]
    assert names(lobby.waiting(PAPER)) == ["bob", "cy"]
    assert names(lobby.leave(UserId("bob"))) == ["bob"]
    assert lobby.leave(UserId("bob")) == []
    assert (lobby.find(PAPER, "bob"), lobby.find(PAPER, "cy") is None) == (None, False)


def test_who_waits_for_too_long_is_sent_away_and_may_knock_again() -> None:
    lobby = Lobby(600)
    lobby.enter(who("bob"))
    lobby.enter(who("cy", 1))
    assert lobby.expire(599) == []
    assert names(lobby.expire(600)) == ["bob"]
    assert lobby.enter(who("bob", 601))


def test_who_was_declined_may_not_knock_for_a_while() -> None:
    lobby = Lobby(600)
    lobby.enter(who("bob"))
    assert lobby.decline(PAPER, "bob", 10) is not None
    for again in (11, 609):
        with pytest.raises(RejectedError, match="approval_declined"):
            lobby.enter(who("bob", again))
        lobby.expire(again)
    lobby.expire(610)
    assert lobby.enter(who("bob", 610))


def test_nobody_is_declined_who_does_not_wait() -> None:
    lobby = Lobby(600)
    assert lobby.decline(PAPER, "bob", 10) is None
    assert lobby.enter(who("bob", 11))


def test_no_more_wait_than_an_owner_can_look_through() -> None:
    lobby = Lobby(600, most=2)
    lobby.enter(who("bob"))
    lobby.enter(who("cy"))
    with pytest.raises(RejectedError, match="limit_exceeded"):
        lobby.enter(who("dan"))
    assert lobby.enter(who("dan", document_id=BOOK))
    assert not lobby.enter(who("cy", 5))
