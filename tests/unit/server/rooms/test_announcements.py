"""Who is told when of who is here; what is told is in test_roster.py."""

from texswarm_server.protocol.ids import Handle, SessionId, UserId
from texswarm_server.protocol.messages import Participants, ParticipantsChanged
from texswarm_server.rooms.announcements import Announcements
from texswarm_server.rooms.effects import Announce, Effect, Greet, Tell
from texswarm_server.rooms.member import Member, Profile
from texswarm_server.rooms.roster import FEW


class Hall:
    """Members of a room, and what they are told of each other."""

    def __init__(self) -> None:
        self.members: dict[SessionId, Member] = {}
        self.announcements = Announcements(Handle(1), self.members)

    def enter(self, name: str) -> list[Effect]:
        profile = Profile(session_id=SessionId(name), user_id=UserId(name), display_name=name, color="", role="editor")
        self.members[profile.session_id] = Member(profile)
        return self.announcements.joined(self.members[profile.session_id])

    def leave(self, name: str) -> None:
        self.announcements.leaving(self.members.pop(SessionId(name)))

    def listed(self, effects: list[Effect]) -> set[str]:
        """Return who is named in what is told to everybody."""
        facts = [tell.fact for tell in told(effects)]
        return {each.user_id for fact in facts if isinstance(fact, Participants) for each in fact.participants}

    def fill(self, people: int) -> None:
        """Let so many people in and tell everybody everything."""
        for number in range(people):
            self.enter(f"p{number}")
        effects = [*self.announcements.announce(), Greet(0.0)]
        while any(isinstance(effect, Greet) for effect in effects):
            effects = self.announcements.greet()


def told(effects: list[Effect]) -> list[Tell]:
    return [effect for effect in effects if isinstance(effect, Tell)]


def test_who_comes_to_a_few_is_told_at_once_and_the_others_are_told_together() -> None:
    hall = Hall()
    effects = [*hall.enter("ada"), *hall.enter("bob")]

    assert [each.members for each in told(effects)] == [("ada",), ("bob",)]
    assert [each for each in effects if isinstance(each, Announce)] == [Announce(0.0)]
    (to_ada,) = told(hall.announcements.announce())
    assert to_ada.members == ("ada",)  # bob knows
    assert isinstance(to_ada.fact, Participants)
    assert [each.user_id for each in to_ada.fact.participants] == ["ada", "bob"]


def test_who_comes_to_a_crowd_is_greeted_a_moment_later() -> None:
    hall = Hall()
    hall.fill(FEW)
    effects = hall.enter("ada")

    assert told(effects) == []
    assert [type(each) for each in effects] == [Greet, Announce]


def test_while_many_come_nobody_is_greeted_but_not_for_ever() -> None:
    hall, put_off_s = Hall(), 0.0
    hall.fill(FEW)
    effects = hall.enter("ada")
    for number in range(1000):
        effects = hall.announcements.greet()
        if told(effects):
            break
        (again,) = [effect for effect in effects if isinstance(effect, Greet)]
        put_off_s += again.delay_s
        hall.enter(f"n{number}")

    assert 1.0 < put_off_s < 3.0
    while any(isinstance(effect, Greet) for effect in effects):
        hall.enter("bob")  # still coming and going: whoever waits is told all the same
        effects = hall.announcements.greet()
        assert told(effects)


def test_newcomers_are_greeted_as_soon_as_no_more_come() -> None:
    hall = Hall()
    hall.fill(FEW)
    hall.enter("ada")

    assert told(hall.announcements.greet()) == []
    assert [each.members for each in told(hall.announcements.greet())] == [("ada",)]


def test_a_crowd_that_knows_everybody_is_told_what_changed_and_no_more() -> None:
    hall = Hall()
    hall.fill(FEW + 5)
    hall.leave("p3")
    hall.announcements.left(SessionId("p3"))
    effects = hall.announcements.announce()

    assert [len(each.members) for each in told(effects)] == [FEW + 4]
    (fact,) = [each.fact for each in told(effects)]
    assert isinstance(fact, ParticipantsChanged)
    assert (fact.participants, len(fact.gone)) == ([], 1)
    assert hall.announcements.announce() == []


def test_who_leaves_is_listed_until_that_may_be_told() -> None:
    hall = Hall()
    hall.fill(3)
    hall.leave("p0")
    hall.enter("ada")

    assert hall.listed(hall.announcements.announce()) == {"p0", "p1", "p2", "ada"}
    assert hall.announcements.left(SessionId("p0")) == [Announce(0.0)]
    assert hall.listed(hall.announcements.announce()) == {"p1", "p2", "ada"}


def test_who_comes_again_before_it_was_told_has_not_left() -> None:
    hall = Hall()
    hall.fill(3)
    hall.leave("p0")
    hall.enter("p0")

    assert hall.announcements.left(SessionId("p0")) == []
    assert hall.listed(hall.announcements.announce()) == {"p0", "p1", "p2"}


def test_who_is_not_here_or_was_replaced_is_told_nothing() -> None:
    hall = Hall()
    hall.fill(2)
    hall.members[SessionId("p0")].state = "reconnecting"
    former = hall.members[SessionId("p1")]
    hall.enter("p1")

    assert hall.announcements.tell([hall.members[SessionId("p0")], former]) == []
