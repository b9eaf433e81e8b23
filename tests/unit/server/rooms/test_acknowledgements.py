"""Acknowledgements: only with the batch that made a message durable, and never backwards."""

from texswarm_server.protocol.ids import SessionId, UserId
from texswarm_server.rooms.acknowledgements import Acknowledgements
from texswarm_server.rooms.member import Member, Profile


def member(name: str) -> Member:
    return Member(Profile(session_id=SessionId(name), user_id=UserId(name), display_name=name, color="", role="editor"))


def test_a_count_is_told_when_its_batch_is_durable() -> None:
    ada, bob = member("ada"), member("bob")
    acknowledgements = Acknowledgements()
    first = acknowledgements.open_batch({ada: 1})
    second = acknowledgements.open_batch({ada: 3, bob: 1})

    assert acknowledgements.is_waiting
    assert acknowledgements.durable(first) == {ada: 1}
    assert acknowledgements.durable(second) == {ada: 3, bob: 1}
    assert not acknowledgements.is_waiting


def test_one_report_covers_all_batches_before_it() -> None:
    ada = member("ada")
    acknowledgements = Acknowledgements()
    acknowledgements.open_batch({ada: 1})
    second = acknowledgements.open_batch({ada: 2})

    assert acknowledgements.durable(second) == {ada: 2}
    assert acknowledgements.durable(second) == {}


def test_what_needs_no_storing_waits_for_what_was_sent_before_it() -> None:
    ada = member("ada")
    acknowledgements = Acknowledgements()
    assert acknowledgements.ride_along({ada: 1}) == {ada: 1}
    batch = acknowledgements.open_batch({ada: 2})
    assert acknowledgements.ride_along({ada: 3}) == {}

    assert acknowledgements.durable(batch) == {ada: 3}
