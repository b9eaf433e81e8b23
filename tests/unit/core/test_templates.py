"""A new project's files are LaTeX whatever its title is."""

import pytest

from texswarm_desktop.core.templates import filled_in

FILES = {"main.tex": "\\title{<<title>>}\n\\author{<<author>>}\n", "sub/a.tex": "On <<title>>, again <<title>>."}


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("A Paper", r"\title{A Paper}"),
        ("50 % of x_1 & y", r"\title{50 \% of x\_1 \& y}"),
        (r"a\b~c^d{}", r"\title{a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d\{\}}"),
    ],
)
def test_a_title_is_written_as_it_reads(title: str, written: str) -> None:
    assert written in filled_in(FILES, title=title, author="Ada")["main.tex"].splitlines()


def test_every_place_is_filled_in() -> None:
    filled = filled_in(FILES, title="X", author="Ada")
    assert filled["main.tex"] == "\\title{X}\n\\author{Ada}\n"
    assert filled["sub/a.tex"] == "On X, again X."


def test_a_title_that_looks_like_a_placeholder_stays_a_title() -> None:
    assert filled_in({"a": "<<title>>"}, title="<<author>>", author="Ada") == {"a": "<<author>>"}
