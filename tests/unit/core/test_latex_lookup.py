"""A name means the file that TeX would take."""

import pytest

from texswarm_desktop.core.latex_lookup import Found, Lookup, joined, may_be_elsewhere
from texswarm_desktop.core.latex_references import Need

PATHS = (
    *("paper/main.tex", "paper/a.tex", "paper/a", "paper/b.tex.tex", "paper/b.tex", "paper/fig.png", "paper/fig.pdf"),
    *(
        "figs/x.PNG",
        "figs/f-1.png",
        "figs/f-2.png",
        "paper/own.bbx",
        "paper/own.cbx",
        "paper/refs.bib",
        "paper/Deep.tex",
    ),
)


@pytest.fixture
def lookup() -> Lookup:
    return Lookup(PATHS, "paper/main.tex")


@pytest.mark.parametrize(
    ("need", "name", "paths"),
    [
        (Need.INPUT, "a", ("paper/a.tex",)),
        (Need.INPUT, "b.tex", ("paper/b.tex.tex",)),
        (Need.INPUT, "./a", ("paper/a.tex",)),
        (Need.INCLUDE, "a", ("paper/a.tex",)),
        (Need.GRAPHICS, "fig", ("paper/fig.pdf",)),
        (Need.GRAPHICS, "fig.png", ("paper/fig.png",)),
        (Need.GRAPHICS, "../figs/x", ("figs/x.PNG",)),
        (Need.BIBLIOGRAPHY, "refs", ("paper/refs.bib",)),
        (Need.BIBLIOGRAPHY, "refs.bib", ("paper/refs.bib",)),
        (Need.BIBLATEX_STYLE, "own", ("paper/own.bbx", "paper/own.cbx")),
        (Need.INPUT, "../../a", ()),
        (Need.INPUT, "nothing", ()),
    ],
)
def test_a_name_is_found_from_the_main_files_folder(
    lookup: Lookup, need: Need, name: str, paths: tuple[str, ...]
) -> None:
    assert lookup.find(need, name, [lookup.root]).paths == paths


def test_folders_are_tried_in_order(lookup: Lookup) -> None:
    assert lookup.find(Need.GRAPHICS, "f-1", [lookup.root, "figs"]) == Found(("figs/f-1.png",))


def test_other_letter_case_is_found_and_told(lookup: Lookup) -> None:
    assert lookup.find(Need.INPUT, "deep", [lookup.root]) == Found(("paper/Deep.tex",), is_exact=False)


def test_a_series_is_all_files_that_begin_so(lookup: Lookup) -> None:
    assert lookup.matching(Need.SERIES, "f-", ["figs"]).paths == ("figs/f-1.png", "figs/f-2.png")


@pytest.mark.parametrize(
    ("need", "name", "is_elsewhere"),
    [
        (Need.PACKAGE, "amsmath", True),
        (Need.CLASS, "article", True),
        (Need.GRAPHICS, "example-image-a", True),
        (Need.GRAPHICS, "plot", False),
        (Need.INPUT, "glyphtounicode.tex", True),
        (Need.INPUT, "chapter", False),
        (Need.BIBLIOGRAPHY, "refs", False),
    ],
)
def test_packages_may_come_with_tex_and_chapters_may_not(need: Need, name: str, is_elsewhere: bool) -> None:
    assert may_be_elsewhere(need, name) is is_elsewhere


@pytest.mark.parametrize(
    ("folder", "name", "path"),
    [("a/b", "../c", "a/c"), ("", "./c", "c"), ("a", "../../c", ""), ("a", "b//c/", "a/b/c"), ("", "", "")],
)
def test_paths_are_put_together(folder: str, name: str, path: str) -> None:
    assert joined(folder, name) == path
