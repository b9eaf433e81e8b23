"""Who speaks is left alone, who is silent is asked, who does not answer is given up."""

from __future__ import annotations

from texswarm_server.net.keep_alive import KeepAlive


class FakeLine:
    def __init__(self) -> None:
        self.is_open, self.has_heard, self.silent_looks = True, False, 0
        self.done: list[str] = []

    def ask_for_life(self) -> None:
        self.done.append("ping")

    def give_up(self, code: int, reason: str = "") -> None:
        self.done.append(f"given up {code}")
        self.is_open = False


def look(line: FakeLine, looks: int, *, speaks_every: int = 0) -> list[str]:
    """Look that many times; a quarter of a ping's interval lies between two looks."""
    keeper = KeepAlive([line], ping_every_s=10, dead_after_s=25)
    for number in range(1, looks + 1):
        line.has_heard = bool(speaks_every) and number % speaks_every == 0
        keeper.look()
    return line.done


def test_who_speaks_is_left_alone() -> None:
    assert look(FakeLine(), 100, speaks_every=4) == []


def test_who_is_silent_for_the_interval_is_asked_once() -> None:
    line = FakeLine()
    assert look(line, 3) == []
    assert look(line, 1) == ["ping"]


def test_who_answers_late_is_kept() -> None:
    assert set(look(FakeLine(), 200, speaks_every=9)) == {"ping"}


def test_who_does_not_answer_is_asked_twice_and_given_up_after_the_time() -> None:
    assert look(FakeLine(), 9) == ["ping", "ping"]
    assert look(FakeLine(), 30) == ["ping", "ping", "given up 1011"]


def test_who_has_not_been_let_in_yet_is_left_to_others() -> None:
    line = FakeLine()
    line.is_open = False
    assert look(line, 50) == []
