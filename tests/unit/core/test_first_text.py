"""A new project's main file is LaTeX whatever its title is."""

import pytest

from texswarm_desktop.core.first_text import first_text


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("A Paper", r"\title{A Paper}"),
        ("50 % of x_1 & y", r"\title{50 \% of x\_1 \& y}"),
        (r"a\b~c^d{}", r"\title{a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d\{\}}"),
    ],
)
def test_a_title_is_written_as_it_reads(title: str, written: str) -> None:
    assert written in first_text(title).splitlines()
