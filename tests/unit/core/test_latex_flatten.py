"""What is put in reads as it did before: no word joined to another, no paragraph more or less."""

import pytest

from texswarm_desktop.core.latex_flatten import Flattener
from texswarm_desktop.core.latex_uses import follow


def flat(main: str, *, keeps_includes: bool = False, **files: str) -> tuple[str, list[str]]:
    texts = {"main.tex": main} | {f"{name}.tex": text for name, text in files.items()}
    uses = follow("main.tex", texts, texts)
    made = Flattener(
        uses.sources, uses.uses, alike=frozenset(texts), new_name=lambda use: None, keeps_includes=keeps_includes
    )
    return made.text_of("main.tex"), made.flattened


@pytest.mark.parametrize(
    ("main", "child", "text"),
    [
        ("a\n\\input{x}\nb\n", "X\n", "a\nX\nb\n"),
        ("a\n\\input{x}\nb\n", "X", "a\nX\nb\n"),
        ("a\n\n\\input{x}\n\nb\n", "X\n\nY\n", "a\n\nX\n\nY\n\nb\n"),
        ("a \\input{x}\nb", "X\n", "a %\nX\nb"),
        ("\\foo\\input{x}\nb", "bar\n", "\\foo%\nbar\nb"),
        ("\\input{x} b\n", "X\n", "X\nb\n"),
        ("\\input{x}b\n", "X%\n", "X%\nb\n"),
        ("\\input{x}% c\nb\n", "X\n", "X\n% c\nb\n"),
        ("\\input{x}%\nb\n", "X%\n", "X%\n%\nb\n"),
        ("\\input{x}\nb\n", "X% c\n", "X\nb\n"),
        ("\\input{x}\nb\n", "X\n% c\n% d\n", "X\nb\n"),
        ("\\input{x}\nb\n", "X\n\n", "X\n\nb\n"),
        ("a\n\\input{x}\nb\n", "% nothing\n", "a\n%\nb\n"),
        ("a\n\\input{x} b\n", "", "a\n%\nb\n"),
        ("\\input{x}\nb\n", "X\n\\endinput\nnever\n", "X\nb\n"),
        ("\\input{x}\\input{x}\n", "X\n", "X\nX\n"),
        ("\\input x\nb\n", "X\n", "X\nb\n"),
        ("\\verb|\\input{x}| % \\input{x}\n", "X\n", "\\verb|\\input{x}| % \\input{x}\n"),
        ("\\input{x}", "X", "X"),
    ],
)
def test_a_file_takes_the_place_of_what_reads_it(main: str, child: str, text: str) -> None:
    assert flat(main, x=child)[0] == text


@pytest.mark.parametrize(
    ("main", "files"),
    [
        ("{\\small\\input{x}}", {"x": "X"}),
        ("\\newcommand{\\a}{\\input{x}}", {"x": "X"}),
        ("\\input{x}", {"x": "\\ifx\\a\\b\\endinput\\fi X"}),
        ("\\input{gone}", {}),
        ("\\subfile{x}", {"x": "X"}),
        ("\\input{main}", {}),
    ],
)
def test_what_cannot_be_put_in_safely_stays(main: str, files: dict[str, str]) -> None:
    assert flat(main, **files) == (main, [])


def test_files_in_files_are_put_in() -> None:
    assert flat("a\n\\input{x}\nb\n", x="X\n\\input{y}\n", y="Y\n") == ("a\nX\nY\nb\n", ["y.tex", "x.tex"])


def test_an_included_file_begins_and_ends_a_page() -> None:
    assert flat("\\include{x}\nb\n", x="X\n% c\n")[0] == "\\clearpage\nX\n% c\n\\clearpage\nb\n"


def test_with_some_included_only_each_stays_a_file() -> None:
    assert flat("\\include{x}\n", keeps_includes=True, x="X\n") == ("\\include{x}\n", [])


def test_files_that_read_each_other_end() -> None:
    assert flat("\\input{x}\n", x="X\n\\input{x}\n\\input{main}\n")[0] == "X\n\\input{x}\n\\input{main}\n"


def test_what_follows_the_document_is_left_out() -> None:
    assert flat("\\input{x}\n\\end{document}\nsecret\n", x="X\n")[0] == "X\n\\end{document}\n"
