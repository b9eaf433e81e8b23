"""Everything that matches is found, counted as Qt counts, and nothing that is typed can break the search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.ui.editor.text_search import Found, Search, find_all, replacement

TEXT = "Alpha beta\nalpha 😀 ALPHA\n"


@pytest.mark.parametrize(
    ("search", "spans"),
    [
        (Search("alpha"), [(0, 5), (11, 16), (20, 25)]),
        (Search("alpha", match_case=True), [(11, 16)]),
        (Search("^alpha$", is_regex=True), []),
        (Search("^alpha", is_regex=True), [(0, 5), (11, 16)]),
        (Search("a.b", is_regex=True), [(4, 7)]),
        (Search("a.b"), []),
        (Search("x*", is_regex=True), []),
        (Search(""), []),
        (Search("😀"), [(17, 19)]),
    ],
)
def test_matches(search: Search, spans: list[tuple[int, int]]) -> None:
    assert list(find_all(TEXT, search).spans) == spans


@pytest.mark.parametrize("wanted", ["(", "[", "*", "(?P<", "a{2,1}", "\\"])
def test_a_search_that_is_not_one_has_a_problem_and_no_matches(wanted: str) -> None:
    found = find_all(TEXT, Search(wanted, is_regex=True))
    assert found.problem
    assert found.spans == ()


def test_counting_has_an_end() -> None:
    found = find_all("a" * 50, Search("a"), limit=10)
    assert (len(found.spans), found.is_cut) == (10, True)


FOUND = Found(((2, 4), (10, 12), (20, 22)))


@pytest.mark.parametrize(("position", "number"), [(0, 0), (2, 0), (3, 1), (10, 1), (20, 2), (21, 0)])
def test_next_begins_again_at_the_start(position: int, number: int) -> None:
    assert FOUND.after(position) == number


@pytest.mark.parametrize(("position", "number"), [(0, 2), (2, 2), (3, 0), (10, 0), (99, 2)])
def test_previous_begins_again_at_the_end(position: int, number: int) -> None:
    assert FOUND.before(position) == number


def test_without_matches_there_is_no_next() -> None:
    assert Found().after(0) is None
    assert Found().before(0) is None


@pytest.mark.parametrize(("start", "end", "count"), [(0, 2, 0), (0, 3, 1), (3, 11, 2), (11, 30, 2), (30, 40, 1)])
def test_matches_within_a_range_are_at_least_those_that_touch_it(start: int, end: int, count: int) -> None:
    assert len(FOUND.within(start, end)) == count


@pytest.mark.parametrize(
    ("matched", "search", "new", "result"),
    [
        ("a1", Search(r"a(\d)", is_regex=True), r"b\1", "b1"),
        ("a1", Search(r"a(?P<n>\d)", is_regex=True), r"\g<n>", "1"),
        ("a1", Search(r"a\d", is_regex=True), r"\7", r"\7"),
        ("a1", Search("a1"), r"\1", r"\1"),
        ("a1", Search(r"a(\d)", is_regex=True), "\\", "\\"),
    ],
)
def test_replacement(matched: str, search: Search, new: str, result: str) -> None:
    assert replacement(matched, search, new) == result


@given(text=st.text(max_size=40), wanted=st.text(min_size=1, max_size=3), is_regex=st.booleans())
def test_whatever_is_looked_for_matches_are_in_order_and_inside(text: str, wanted: str, is_regex: bool) -> None:
    found = find_all(text, Search(wanted, is_regex=is_regex))
    total = len(text.encode("utf-16-le", "surrogatepass")) // 2
    at = 0
    for start, end in found.spans:
        assert at <= start < end <= total
        at = end
