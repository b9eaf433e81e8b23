"""What is left out of a project, decided from patterns alone."""

import pytest

from texswarm_desktop.core.ignore_rules import (
    IgnoreFile,
    IgnoreRules,
    SharedOnPurpose,
    Sharing,
    decode_sharing,
    encode_sharing,
)


def left_out(path: str, *files: IgnoreFile, is_inside: bool = False, above: tuple[IgnoreFile, ...] = (), **wishes):
    return IgnoreRules(Sharing(**wishes), above).leaves_out(path, files, is_inside=is_inside)


@pytest.mark.parametrize(
    "path", ["main.aux", "a/main.log", "main.synctex.gz", "main-blx.bib", "_minted-main/", "x.toc", "main.tex~"]
)
def test_what_a_latex_run_makes_is_left_out(path: str) -> None:
    assert left_out(path)
    assert not left_out(path, build_products=())


@pytest.mark.parametrize("path", ["main.tex", "refs.bib", "thesis.cls", "figures/", "data.csv", "main.lua"])
def test_sources_are_not(path: str) -> None:
    assert not left_out(path)


def test_the_innermost_file_that_says_something_decides() -> None:
    outer, inner = IgnoreFile("", ["*.tex", "!keep.tex"]), IgnoreFile("a", ["!b.tex", "keep.tex"])
    assert left_out("a/c.tex", outer, inner)
    assert not left_out("a/b.tex", outer, inner)
    assert left_out("a/keep.tex", outer, inner)
    assert not left_out("keep.tex", outer)


def test_patterns_count_from_their_own_folder() -> None:
    assert left_out("a/x.tex", IgnoreFile("a", ["/x.tex"]))
    assert not left_out("a/b/x.tex", IgnoreFile("a", ["/x.tex"]))
    assert left_out("x.tex", above=(IgnoreFile("", ["/thesis/x.tex"], above="thesis"),))


def test_nothing_comes_back_out_of_a_folder_that_is_left_out() -> None:
    assert left_out("out/a.tex", IgnoreFile("", ["out/", "!out/a.tex"]), is_inside=True)


def test_what_is_shared_on_purpose_is_shared() -> None:
    git = IgnoreFile("", ["out/", "*.csv"])
    assert not left_out("out/tables/a.tex", git, is_inside=True, share=("out/tables/*.tex",))
    assert not left_out("a.csv", git, share=("*.csv",), leave_out=("a.*",))
    assert left_out("b.csv", git, share=("a.csv", "!b.csv"))


def test_the_way_to_what_is_shared_on_purpose_is_known() -> None:
    rules = IgnoreRules(Sharing(share=("out/tables/*.tex", "gen/**/x.tex", "*.csv")))
    assert [rules.may_share_inside(path) for path in ("out", "out/tables", "gen/a/b/", "out/x", "b")] == [
        True, True, True, False, False]  # fmt: skip


def test_lines_that_are_no_pattern_are_passed_over() -> None:
    assert left_out("a.tex", IgnoreFile("", ["!", "\\", "# a remark", "", "a.tex"]))


def test_what_is_wished_for_is_known_by_its_pattern() -> None:
    wished = SharedOnPurpose(("*.py", "!run.py", "data/"))
    assert [wished.names(path) for path in ("a.py", "run.py", "data/x.raw", "x.raw")] == [True, True, True, False]
    assert not SharedOnPurpose().names("a.py")


def test_wishes_are_kept_as_they_are() -> None:
    wishes = Sharing(share=("a",), leave_out=("b", "c"))
    assert decode_sharing(encode_sharing(wishes)) == wishes
    assert decode_sharing(b"{}") == Sharing()
    with pytest.raises(ValueError, match="truncated"):
        decode_sharing(b"no")
