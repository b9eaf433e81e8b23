"""Tables stay in line and on one screen, whatever people call themselves; times and sizes are short."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.cli.output import Column, columns_of, count_of, instant, moment, plain, size, table

NAME, DOCUMENTS = Column("name", may_shrink=True), Column("documents", is_number=True)


def test_columns_stand_under_their_titles() -> None:
    assert table([NAME, DOCUMENTS], [("Ada", 3), ("Grace Hopper", 12)], empty="none", width=None) == [
        "NAME          DOCUMENTS",
        "Ada                   3",
        "Grace Hopper         12",
    ]


def test_no_row_is_one_sentence() -> None:
    assert table([NAME], [], empty="Nobody yet.", width=80) == ["Nobody yet."]


def test_wide_and_combining_characters_keep_the_line() -> None:
    lines = table([NAME, DOCUMENTS], [("小林", 1), ("Zoe\N{COMBINING DIAERESIS}", 2)], empty="", width=None)
    assert {columns_of(line) for line in lines} == {len("NAME  DOCUMENTS")}


def test_what_is_too_long_for_a_terminal_is_cut_where_it_may_be() -> None:
    lines = table([NAME, DOCUMENTS], [("x" * 200, 1), ("林" * 100, 2)], empty="", width=40)
    assert all(columns_of(line) <= 40 for line in lines)
    assert lines[1].startswith("xxxx")
    assert "…" in lines[1]
    assert lines[1].endswith(" 1")


def test_a_terminal_too_narrow_for_anything_breaks_nothing() -> None:
    assert table([NAME, DOCUMENTS], [("x" * 20, 1)], empty="", width=3)[1] == "xxxxxxx…          1"


def test_no_name_reaches_the_terminal_itself() -> None:
    assert plain("\x1b[2J\u202eevil\n") == "�[2J�evil�"


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1), st.integers(0, 200))
def test_a_table_has_a_line_for_each_row(rows: list[tuple[str, str]], width: int) -> None:
    lines = table([NAME, Column("id")], rows, empty="", width=width)
    assert len(lines) == len(rows) + 1
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (10_188, "9.9 kB"), (10_240, "10 kB"), (1023 * 1024, "1.0 MB"),
     (5 * 1024**3, "5.0 GB"), (5 * 1024**5, "5120 TB")],
)  # fmt: skip
def test_sizes_are_short(count: int, shown: str) -> None:
    assert size(count) == shown


@pytest.mark.parametrize("never", [None, -1.0, math.nan, math.inf, 1e300])
def test_a_time_that_is_none_is_no_date(never: float | None) -> None:
    assert moment(never) in {"-", "?"}
    assert instant(never) is None


def test_a_time_is_told_to_the_second_for_programs() -> None:
    assert str(instant(1_700_000_000.9)) == "2023-11-14 22:13:20+00:00"


def test_things_are_counted_in_words() -> None:
    assert [count_of(1, "user"), count_of(0, "user")] == ["1 user", "0 users"]
