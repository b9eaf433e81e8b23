"""A folder that all of an archive is in stays where the sources name it."""

import pytest

from texswarm_desktop.core.zip_root import is_named

PATHS = ["main.tex", "intro.tex", "figures/plot.pdf"]


@pytest.mark.parametrize(
    "text",
    [
        "\\input{paper/intro}",
        "\\input{./paper/intro.tex}",
        "\\includegraphics[width=3cm]{paper/figures/plot}",
        "\\graphicspath{{paper/figures/}}",
        "\\bibliography{other,paper/intro}",
        "\\input paper/intro",
    ],
)
def test_it_stays_where_a_source_names_what_is_in_it(text: str) -> None:
    assert is_named("paper", PATHS, [text])


@pytest.mark.parametrize(
    "text",
    [
        "\\input{intro}",
        "% \\input{paper/intro}",
        "\\input{paper/nothing}",
        "\\input{newpaper/intro}",
        "\\url{https://example.org/paper/intro}",
    ],
)
def test_it_goes_where_none_does(text: str) -> None:
    assert not is_named("paper", PATHS, [text])


def test_what_is_there_without_it_as_well_is_meant_so() -> None:
    assert not is_named("paper", [*PATHS, "paper/intro.tex"], ["\\input{paper/intro}"])
