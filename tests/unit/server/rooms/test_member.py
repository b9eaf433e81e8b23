"""A member: who is served, who keeps up, and what others learn of them."""

import pytest

from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.protocol.messages import PresenceState
from texswarm_server.rooms.member import Member, Profile


def member(session: str = "secret-session") -> Member:
    return Member(
        Profile(session_id=SessionId(session), user_id=UserId("ada"), display_name="Ada", color="#12ab00", role="owner")
    )


def test_who_has_just_come_is_here_and_keeps_up() -> None:
    ada = member()
    assert (ada.is_here, ada.is_keeping_up) == (True, True)


@pytest.mark.parametrize("state", ["reconnecting", "away"])
def test_who_is_not_here_is_sent_nothing(state: PresenceState) -> None:
    ada = member()
    ada.state = state
    assert (ada.is_here, ada.is_keeping_up) == (False, False)


def test_who_is_held_back_is_here_but_does_not_keep_up_even_with_nothing_received_yet() -> None:
    ada = member()
    ada.held_at = b""
    assert (ada.is_here, ada.is_keeping_up) == (True, False)


def test_others_learn_who_it_is_but_never_the_session() -> None:
    told = member().participant()
    assert (told.user_id, told.display_name, told.role, told.state) == ("ada", "Ada", "owner", "here")
    assert "secret-session" not in str(told)


def test_two_places_of_one_user_are_told_apart() -> None:
    assert member("one").participant().participant_id != member("two").participant().participant_id
    assert member("one").participant().participant_id == member("one").participant().participant_id
