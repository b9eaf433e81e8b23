"""Who is in a document, told by changes."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.protocol.ids import Handle
from texswarm_server.protocol.messages import Participant, Participants, ParticipantsChanged
from texswarm_server.rooms import roster
from texswarm_server.rooms.roster import Roster


class Crowd:
    """A roster, who really is there, and readers who are told now and then."""

    def __init__(self) -> None:
        self.people: dict[str, Participant] = {}
        self.roster = Roster(Handle(1), lambda: list(self.people.values()))
        self.known: dict[int, dict[str, Participant]] = {}
        self.told_at: dict[int, int] = {}

    def show(self, name: str, display_name: str = "") -> None:
        person = Participant(
            participant_id=name, user_id=name, display_name=display_name, color="", role="editor", state="here"
        )
        self.people[name] = person
        self.roster.put(person)

    def go(self, name: str) -> None:
        if self.people.pop(name, None) is not None:
            self.roster.remove(name)

    def tell(self, reader: int) -> None:
        told_at = self.told_at.get(reader, 0)
        if told_at == self.roster.moment:
            return
        news, self.told_at[reader] = self.roster.news(told_at)
        match news:
            case Participants(participants=participants):
                self.known[reader] = {each.participant_id: each for each in participants}
            case ParticipantsChanged(participants=participants, gone=gone):
                self.known[reader] |= {each.participant_id: each for each in participants}
                self.known[reader] = {name: each for name, each in self.known[reader].items() if name not in gone}


@pytest.fixture(autouse=True, scope="module")
def small_numbers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(roster, "FEW", 2)
        patch.setattr(roster, "_PORTION", 3)
        patch.setattr(roster, "_GONE_KEPT", 4)
        yield


names = st.integers(0, 9).map(str)
steps = st.one_of(
    st.tuples(st.just("show"), names, st.text("xy", max_size=1)),
    st.tuples(st.just("go"), names),
    st.tuples(st.just("tell"), st.integers(0, 2)),
)


@given(st.lists(steps, max_size=80))
def test_whoever_is_told_all_of_it_knows_who_is_there(story: list[tuple[str, str]]) -> None:
    crowd = Crowd()
    for what, *details in story:
        getattr(crowd, what)(*details)
    for reader in range(3):
        for _ in range(30):
            crowd.tell(reader)
        if crowd.roster.moment:
            assert crowd.known[reader] == crowd.people


def test_a_change_in_a_crowd_is_told_by_itself() -> None:
    crowd = Crowd()
    for number in range(10):
        crowd.show(str(number))
    for _ in range(5):
        crowd.tell(0)
    crowd.show("3", "Countess")
    crowd.go("4")
    news, _ = crowd.roster.news(crowd.told_at[0])

    assert isinstance(news, ParticipantsChanged)
    assert ([each.display_name for each in news.participants], news.gone) == (["Countess"], ["4"])


def test_what_is_told_of_a_crowd_says_whether_there_is_more() -> None:
    crowd = Crowd()
    for number in range(8):
        crowd.show(str(number))
    told: list[tuple[int, bool]] = []
    known_at = 0
    while known_at < crowd.roster.moment:
        news, known_at = crowd.roster.news(known_at)
        told.append((len(news.participants), news.more))

    assert told == [(3, True), (3, True), (2, False)]


def test_a_few_are_told_everybody() -> None:
    crowd = Crowd()
    crowd.show("ada")
    crowd.tell(0)
    crowd.show("bob")
    news, known_at = crowd.roster.news(crowd.told_at[0])

    assert isinstance(news, Participants)
    assert [each.user_id for each in news.participants] == ["ada", "bob"]
    assert known_at == crowd.roster.moment
