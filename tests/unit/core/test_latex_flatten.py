"""What is put in reads as it did before: no word joined to another, no paragraph more or less."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from texswarm_desktop.core import latex_flatten
from texswarm_desktop.core.latex_flatten import Flattener
from texswarm_desktop.core.latex_mask import read_source, without_comments
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
        ("a%\n\\input{x}\nb\n", "% nothing\n", "a%\n\\space\nb\n"),
        ("a%\n\\input{x} b\n", "", "a%\n\\space\nb\n"),
        ("\\input{x}\nb\n", "\\LaTeX\n", "\\LaTeX\\space\nb\n"),
        ("\\input{x} b\n", "X%\n", "X\nb\n"),
        ("a\n\\input{x}\nb\n", "\n", "a\n\nb\n"),
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


@pytest.mark.parametrize("rest", ["\\emph{b}\n", "b\n", "% why\n", "{}"])
def test_an_included_file_ends_its_page_also_where_its_line_goes_on(rest: str) -> None:
    assert flat(f"\\include{{x}}{rest}", x="X")[0] == f"\\clearpage\nX\n\\clearpage\n{rest}"


def test_with_some_included_only_each_stays_a_file() -> None:
    assert flat("\\include{x}\n", keeps_includes=True, x="X\n") == ("\\include{x}\n", [])


def test_files_that_read_each_other_end() -> None:
    assert flat("\\input{x}\n", x="X\n\\input{x}\n\\input{main}\n")[0] == "X\n\\input{x}\n\\input{main}\n"


def test_files_that_read_others_twice_and_twice_again_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latex_flatten, "_MOST_CHARS", 5_000)
    names = [f"f{'x' * at}" for at in range(40)]
    files = {name: f"\\input{{{after}}}\n\\input{{{after}}}\n" for name, after in pairwise(names)} | {names[-1]: "X\n"}
    text, _ = flat(f"\\input{{{names[0]}}}\n", **files)
    assert len(text) < 20_000


def test_what_follows_the_document_is_left_out() -> None:
    assert flat("\\input{x}\n\\end{document}\nsecret\n", x="X\n")[0] == "X\n\\end{document}\n"


# ── what TeX would read ─────────────────────────────────────────────────────────────────────────────────────


def tokens(text: str, files: dict[str, str], depth: int = 0) -> list[str]:
    """Return what TeX makes of a source (The TeXbook, chapter 8), files read where they are asked for.

    Blanks that TeX drops anyway are one here: in a row, and beside a paragraph's end.
    """
    made: list[str] = []
    for whole in text.removesuffix("\n").split("\n") if text else []:
        state, at, line = "new", 0, whole.rstrip(" ")
        while at <= len(line):
            character = line[at] if at < len(line) else "\r"
            at += 1
            if character == "%":
                break
            if character in " \r":
                if character == "\r" and state == "new":
                    made.append("par")
                elif state == "middle":
                    made.append(" ")
                state = "skip" if state == "middle" else state
            elif character == "\\" and (word := re.match(r"[a-z]+", line[at:])):
                at, state = at + word.end(), "skip"
                asked = re.match(r"\{([a-z]+)\}", line[at:]) if word[0] == "input" else None
                if asked is None:
                    made.append(" " if word[0] == "space" else f"\\{word[0]}")
                elif depth < 9:
                    at, state = at + asked.end(), "middle"
                    made += tokens(files[asked[1]], files, depth + 1)
            else:
                made.append(character)
                state = "middle"
    return made


def shown(made: list[str]) -> str:
    """Return tokens as one line, with only such blanks as make a difference."""
    return re.sub(
        r" *(<par>)[ <par>]*", r"\1", re.sub(r" +", " ", "".join(f"<{one}>" if one == "par" else one for one in made))
    )


PIECES = st.sampled_from(
    ["a", "b ", " ", "\n", "\n\n", "% c\n", "%\n", "\\foo", "\\foo ", "{", "}", "d\n", ".", "% \\input{y}\n"]
)
TEXT = st.lists(PIECES, max_size=8).map("".join)


@given(TEXT, TEXT, TEXT, TEXT, TEXT)
@example("", "a", "a\n", "", "b")
def test_tex_reads_the_same_as_before(before: str, after: str, x: str, y: str, end: str) -> None:
    main = f"{before}\\input{{x}}{after}\\input{{y}}{end}\n"
    x = x or "a\n"
    files = {"x": x, "y": y or "b\n"}
    text, _ = flat(main, x=files["x"], y=files["y"])
    assert shown(tokens(text, files)) == shown(tokens(main, files))
    without = without_comments(read_source(text))
    assert shown(tokens(without, files)) == shown(tokens(main, files))
