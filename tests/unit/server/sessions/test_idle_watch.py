"""Who has sent nothing for too long is named, and nobody is looked at for nothing."""

from collections import Counter

from texswarm_server.sessions.idle_watch import IdleWatch

IDLE_S = 100.0


class People:
    """Who was heard when, and how often each was looked at."""

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self.heard_at: dict[str, float] = {}
        self.looks: Counter[str] = Counter()
        self.watch: IdleWatch[str] = IdleWatch(idle_s, self._look)

    def come(self, name: str, now: float) -> None:
        self.heard_at[name] = now
        self.watch.begin(name)

    def _look(self, name: str) -> float:
        self.looks[name] += 1
        return self.heard_at[name]


def test_who_is_silent_is_named_and_who_spoke_since_is_not() -> None:
    people = People()
    people.come("ada", 0)
    people.come("bob", 0)
    people.heard_at["bob"] = 60

    assert list(people.watch.idle(99)) == []
    assert list(people.watch.idle(100)) == ["ada"]
    assert list(people.watch.idle(159)) == []
    assert list(people.watch.idle(160)) == ["bob"]


def test_who_goes_on_being_silent_is_named_again_later() -> None:
    people = People()
    people.come("ada", 0)

    assert [now for now in range(0, 350, 10) if list(people.watch.idle(now))] == [100, 200, 300]


def test_who_left_is_not_named() -> None:
    people = People()
    people.come("ada", 0)
    people.watch.end("ada")
    people.watch.end("nobody")

    assert list(people.watch.idle(1000)) == []


def test_nobody_is_watched_without_a_time() -> None:
    people = People(idle_s=0)
    people.come("ada", 0)

    assert list(people.watch.idle(1_000_000)) == []
    assert not people.looks


def test_a_busy_crowd_is_hardly_looked_at() -> None:
    people = People()
    for number in range(1000):
        people.come(str(number), number / 100)
    people.looks.clear()
    for now in range(10, 1000):
        for name in people.heard_at:
            people.heard_at[name] = now
        assert not list(people.watch.idle(now + 0.5))

    assert max(people.looks.values()) <= 1000 / IDLE_S
