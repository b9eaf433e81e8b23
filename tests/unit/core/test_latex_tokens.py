"""Every part of a line is coloured as what it is, and the next line knows in what it begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.latex_tokens import (
    DISPLAY_BRACKET,
    DISPLAY_DOLLARS,
    INLINE_DOLLAR,
    INLINE_PAREN,
    NORMAL,
    STATE_LIMIT,
    Kind,
    latex_state_after,
    tokenize_bibtex,
    tokenize_latex,
    tokenizer_for,
)


def parts(line: str, state: int = NORMAL) -> list[tuple[str, Kind]]:
    return [(line[start : start + length], kind) for start, length, kind in tokenize_latex(line, state)[0]]


@pytest.mark.parametrize(
    ("line", "part", "kind"),
    [
        ("a % remark", "% remark", Kind.COMMENT),
        (r"100\% sure", r"\%", Kind.COMMAND),
        (r"\textbf{x}", r"\textbf", Kind.COMMAND),
        (r"\textbf{x}", "{", Kind.BRACE),
        (r"\section*{On words}", r"\section*", Kind.SECTION),
        (r"\section[short]{On words}", "On words", Kind.HEADING),
        (r"\begin{theorem}", "theorem", Kind.ENVIRONMENT),
        (r"\end{theorem}", r"\end", Kind.COMMAND),
        (r"see \cite[p.~3]{knuth,lamport}", "knuth,lamport", Kind.REFERENCE),
        (r"\eqref{eq:one}", "eq:one", Kind.REFERENCE),
        (r"\label{sec:a}", "sec:a", Kind.REFERENCE),
        (r"\verb|\x{%|", r"|\x{%|", Kind.VERBATIM),
        ("a~b", "~", Kind.SPECIAL),
        ("$x+1$", "x+1", Kind.MATH),
        (r"$\alpha$", r"\alpha", Kind.MATH_COMMAND),
        (r"\(x\)", r"\(", Kind.DELIMITER),
        (r"\href{https://a.b/c}", "https://a.b/c", Kind.REFERENCE),
    ],
)
def test_a_part_is_coloured_as_what_it_is(line: str, part: str, kind: Kind) -> None:
    assert (part, kind) in parts(line)


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        (["text"], NORMAL),
        (["a $x"], INLINE_DOLLAR),
        (["a $x", "+ y$ b"], NORMAL),
        (["a $x", "", "b"], NORMAL),
        ([r"\(x"], INLINE_PAREN),
        (["$$", "x"], DISPLAY_DOLLARS),
        (["$$", "x", "$$"], NORMAL),
        ([r"\[", "x $ y"], DISPLAY_BRACKET),
        ([r"\[", r"x \]"], NORMAL),
        (["% $$"], NORMAL),
        ([r"\$ and \$\$"], NORMAL),
        ([r"\\[2pt] next row"], NORMAL),
        ([r"$a$$b$"], NORMAL),
        ([r"\begin{verbatim}", r"\begin{equation}", r"\end{verbatim}"], NORMAL),
        ([r"\begin{equation}", r"\begin{split}", r"\end{split}", r"\end{equation}"], NORMAL),
        ([r"\begin{comment}", "$$", r"\end{comment}"], NORMAL),
        ([r"\verb|$|"], NORMAL),
    ],
)
def test_the_state_after_lines(lines: list[str], state: int) -> None:
    reached = quick = NORMAL
    for line in lines:
        reached = tokenize_latex(line, reached)[1]
        quick = latex_state_after(line, quick)
    assert reached == quick == state


def test_an_environment_of_math_is_left_only_by_its_own_end() -> None:
    inside = tokenize_latex(r"\begin{align}")[1]
    assert inside != NORMAL
    assert tokenize_latex(r"\end{equation}", inside)[1] == inside
    assert tokenize_latex(r"x &= y \\", inside)[0][0] == (0, 2, Kind.MATH)
    assert tokenize_latex(r"\end{align}", inside)[1] == NORMAL


def test_verbatim_is_one_part_until_its_end() -> None:
    inside = tokenize_latex(r"\begin{verbatim}")[1]
    assert parts(r"%$ \x", inside) == [(r"%$ \x", Kind.VERBATIM)]


LATEX = st.text(alphabet="ab \\${}[]()%&~^_|*é😀\n", max_size=60) | st.lists(
    st.sampled_from(
        [
            r"\begin{align}",
            r"\end{align}",
            r"\verb|",
            "$",
            "$$",
            r"\[",
            r"\]",
            "x",
            "%",
            r"\begin{verbatim}",
            r"\cite{",
            "}",
        ]
    )
).map("".join)


@given(line=LATEX, state=st.sampled_from([NORMAL, 1, 2, 3, 4, 8, 9, 64, 96]))
def test_parts_are_in_order_inside_the_line_and_the_quick_answer_is_the_same(line: str, state: int) -> None:
    tokens, after = tokenize_latex(line, state)
    at = 0
    for start, length, _ in tokens:
        assert start >= at
        assert length > 0
        at = start + length
    assert at <= len(line)
    assert 0 <= after < STATE_LIMIT
    assert latex_state_after(line, state) == after


def test_a_bibliography_has_entries_keys_and_fields() -> None:
    assert [kind for _, _, kind in tokenize_bibtex("@book{knuth84,")[0]] == [Kind.SECTION, Kind.REFERENCE]
    assert tokenize_bibtex("  title = {x},")[0][0] == (2, 5, Kind.FIELD)


def test_a_file_is_coloured_by_its_ending() -> None:
    assert tokenizer_for("a/main.TEX") is tokenize_latex
    assert tokenizer_for("refs.bib") is tokenize_bibtex
    assert tokenizer_for("Makefile")("$x$", NORMAL) == ([], NORMAL)
