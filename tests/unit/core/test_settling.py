"""A file in the middle of being saved is not taken; one that stands is."""

import pytest

from texswarm_desktop.core.settling import Change, Doubt, doubt_about, settle


def test_a_change_that_has_stood_for_long_is_taken_at_once() -> None:
    assert settle({}, {"a.tex": Change(1, Doubt.NONE, age_s=9.0)}, now=5.0).ready == {"a.tex"}


@pytest.mark.parametrize("doubt", list(Doubt))
def test_a_fresh_change_is_taken_when_it_has_stood_for_its_time(doubt: Doubt) -> None:
    first = settle({}, {"a.tex": Change(1, doubt)}, now=5.0)
    assert first.ready == frozenset()
    assert first.again_s == pytest.approx(doubt.value)
    second = settle(first.waiting, {"a.tex": Change(1, doubt)}, now=5.0 + doubt.value + 0.001)
    assert second.ready == {"a.tex"}
    assert second.again_s is None


def test_another_change_of_the_same_file_begins_the_wait_again() -> None:
    first = settle({}, {"a.tex": Change(1, Doubt.GONE)}, now=5.0)
    second = settle(first.waiting, {"a.tex": Change(2, Doubt.GONE)}, now=5.29)
    assert second.again_s == pytest.approx(Doubt.GONE.value)


def test_a_clock_in_the_future_delays_nothing_for_long() -> None:
    again_s = settle({}, {"a.tex": Change(1, Doubt.NONE, age_s=-3600.0)}, now=5.0).again_s
    assert again_s == pytest.approx(Doubt.NONE.value)


def test_what_is_not_changed_any_more_is_not_waited_for() -> None:
    first = settle({}, {"a.tex": Change(1, Doubt.GONE)}, now=5.0)
    assert settle(first.waiting, {}, now=5.1).waiting == {}


def test_what_is_ready_and_not_taken_stays_ready() -> None:
    first = settle({}, {"a.tex": Change(1, Doubt.NONE, age_s=1.0), "b.tex": Change(1, Doubt.GONE)}, now=5.0)
    again = settle(first.sights, {"a.tex": Change(1, Doubt.NONE), "b.tex": Change(1, Doubt.GONE)}, now=5.4)
    assert (first.ready, again.ready) == ({"a.tex"}, {"a.tex", "b.tex"})


def test_one_file_does_not_wait_for_another() -> None:
    changes = {"a.tex": Change(1, Doubt.SHORTENED), "b.tex": Change(1, Doubt.NONE, age_s=1.0)}
    settled = settle({}, changes, now=5.0)
    assert (settled.ready, set(settled.waiting)) == ({"b.tex"}, {"a.tex"})


@pytest.mark.parametrize(
    ("known", "found", "doubt"),
    [
        ("one two three", "one two thre", Doubt.SHORTENED),
        ("one two three", "", Doubt.SHORTENED),
        ("one two three", "xy", Doubt.SHORTENED),
        ("one\ntwo\nthree\n", "one\nthree\n", Doubt.NONE),
        ("one\ntwo\nthree\n", "one\nzero\ntwo\nthr", Doubt.SHORTENED),
        ("one\ntwo\nthree\n", "one\nzero\ntwo\n", Doubt.SHORTENED),
        ("one\ntwo\nthree\n", "one\ntwo\nthree\nfour\n", Doubt.NONE),
        ("one", "one two", Doubt.NONE),
        ("", "", Doubt.NONE),
        (None, "new", Doubt.NONE),
        (None, "", Doubt.SHORTENED),
        ("one", None, Doubt.NONE),
    ],
)
def test_less_than_there_was_may_be_half_of_a_save(known: str | None, found: str | None, doubt: Doubt) -> None:
    assert doubt_about(known, found) is doubt
