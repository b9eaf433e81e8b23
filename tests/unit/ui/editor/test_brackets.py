"""A bracket finds its partner, and no other."""

import pytest

from texswarm_desktop.ui.editor.brackets import match_bracket


def matched(text: str) -> str | None:
    """`|` is the caret; the answer is the text with `<` and `>` around both brackets."""
    before = text[: text.index("|")]
    lines = text.replace("|", "", 1).split("\n")
    line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
    found = match_bracket(lambda number: lines[number] if 0 <= number < len(lines) else None, line, column)
    if found is None:
        return None
    for at_line, at in sorted(found, reverse=True):
        row = lines[at_line]
        lines[at_line] = f"{row[:at]}<{row[at]}>{row[at + 1 :]}"
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\a{b|}", r"\a<{>b<}>"),
        (r"\a|{b}", r"\a<{>b<}>"),
        (r"\a{b}|", r"\a<{>b<}>"),
        (r"{|{a}b}", r"<{>{a}b<}>"),
        ("[(a)]|", "<[>(a)<]>"),
        ("{|\na\n}", "<{>\na\n<}>"),
        (r"{| \} }", r"<{> \} <}>"),
        ("{| % }\n}", "<{> % }\n<}>"),
        ("{a|b}", None),
        ("{|", None),
        ("}|", None),
        (r"\{|a}", None),
        ("", None),
    ],
)
def test_partner(text: str, answer: str | None) -> None:
    assert matched(text if "|" in text else text + "|") == answer


def test_it_does_not_look_for_ever() -> None:
    assert matched("{|" + "\n" * 5000 + "}") is None
    assert matched("{" + "\n" * 5000 + "}|") is None
