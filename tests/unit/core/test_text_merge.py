import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from texswarm_desktop.core.text_merge import Edit, apply_edits, common_lines, diff, merge, whole_change

texts = st.text(alphabet="ab \n\r.é😀", max_size=60)
lines = st.lists(
    st.sampled_from(["alpha beta\n", "gamma\n", "\n", "alpha  beta\n", "delta, \\emph{x}\n"]), max_size=30
).map("".join)


def merged(base: str, theirs: str, ours: str) -> str:
    return apply_edits(ours, merge(base, theirs, ours))


# ── diff ────────────────────────────────────────────────────────────────────────────────────────────────


@given(texts | lines, texts | lines)
def test_the_edits_make_the_new_text(old: str, new: str) -> None:
    edits = diff(old, new)
    assert apply_edits(old, edits) == new
    assert all(edit.start <= edit.end for edit in edits)
    assert all(first.end < second.start for first, second in pairwise(edits))


def test_a_changed_letter_is_one_small_edit() -> None:
    assert diff("one\ntwo\nthree\n", "one\ntwe\nthree\n") == [Edit(6, 7, "e")]


def test_changed_words_are_edits_of_words() -> None:
    old = "We show that the result holds for all cases.\n"
    new = "We prove that the result holds for most cases.\n"
    assert diff(old, new) == [Edit(3, 7, "prove"), Edit(34, 37, "most")]


def test_a_line_put_in_is_one_edit() -> None:
    assert diff("a\nb\n", "a\nx\nb\n") == [Edit(2, 2, "x\n")]


@pytest.mark.parametrize("count", [50_000])
def test_a_large_file_with_changes_far_apart_gets_few_edits(count: int) -> None:
    old = [f"line {number % 997}, \\alpha_{{{number}}}\n" if number % 3 else "\n" for number in range(count)]
    new = old.copy()
    for at in (10, count // 2, count - 10):
        new[at] = "changed\n"
    del new[20_000:20_010]
    edits = diff("".join(old), "".join(new))
    assert apply_edits("".join(old), edits) == "".join(new)
    assert sum(len(edit.new) + edit.end - edit.start for edit in edits) < 500


def test_large_files_without_a_unique_line_are_compared_without_delay() -> None:
    chance = random.Random(1)
    old = "".join(f"{chance.randrange(100)}\n" for _ in range(50_000))
    new = "".join(f"{chance.randrange(100)}\n" for _ in range(50_000))
    assert apply_edits(old, diff(old, new)) == new


# ── merge ───────────────────────────────────────────────────────────────────────────────────────────────


@given(texts | lines, texts | lines)
def test_who_changed_alone_wins(base: str, changed: str) -> None:
    assert merged(base, changed, base) == changed
    assert merged(base, base, changed) == changed
    assert merged(base, changed, changed) == changed


@given(texts | lines, texts | lines, texts | lines)
def test_merging_gives_edits_in_order(base: str, theirs: str, ours: str) -> None:
    edits = merge(base, theirs, ours)
    assert all(first.end < second.start for first, second in pairwise(edits))
    assert all(0 <= edit.start <= edit.end <= len(ours) for edit in edits)


words = st.lists(st.sampled_from(["one", "two", "three", "four", "five", "six"]), min_size=1, max_size=12)


@st.composite
def changes(draw: st.DrawFn, name: str) -> tuple[list[str], list[str], list[str]]:
    """A base, the same with words of our own put in and some left out, and the words put in."""
    base = draw(st.shared(words, key="base"))
    changed, added = [], []
    for number, word in enumerate([*base, ""]):
        if draw(st.booleans()):
            added.append(f"{name}{number}")
            changed.append(added[-1])
        if word and draw(st.integers(0, 3)):
            changed.append(word)
    return base, changed, added


@pytest.mark.parametrize("between", [" ", "\n"])
@given(theirs=changes("their"), ours=changes("our"))
def test_every_word_of_either_side_is_there_once(
    between: str, theirs: tuple[list[str], list[str], list[str]], ours: tuple[list[str], list[str], list[str]]
) -> None:
    texts = ["".join(word + between for word in side) for side in (theirs[0], theirs[1], ours[1])]
    result = merged(*texts)
    found = result.replace("our", " our").replace("their", " their").split()
    for word in (*theirs[2], *ours[2]):
        assert sum(word in piece for piece in found) >= 1, (texts, result)


@given(st.data())
def test_changes_in_different_lines_are_both_made(data: st.DataObject) -> None:
    base = [f"line {number}\n" for number in range(12)]
    theirs, ours, both = base.copy(), base.copy(), base.copy()
    for at in range(0, 12, 2):
        side, new = data.draw(st.sampled_from([(theirs, "x\n"), (ours, "y y\n"), (theirs, ""), (ours, "")]))
        side[at] = both[at] = new
    assert merged("".join(base), "".join(theirs), "".join(ours)) == "".join(both)


@example("", "hello\n", "hello\nworld\n")
@given(
    lines, st.sampled_from(["hello\n", "hello world\n"]), st.sampled_from(["hello world\nnext\n", "so hello world\n"])
)
def test_what_one_side_only_carried_further_is_not_doubled(base: str, short: str, long: str) -> None:
    assert merged(base, base + short, base + long) == base + long
    assert merged(base, base + long, base + short) == base + long


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "result"),
    [
        ("the colour", "the colours", "the color", "the colors"),
        ("a cat sat", "a dog sat", "a cow sat", "a cow dog sat"),
        ("a b c d", "a d", "a b x c d", "a x d"),
        ("a b c d", "a X d", "a b Y c d", "a XY  d"),
        ("cat", "the cat", "dog", "the dog"),
        ("cat", "cat!", "dog", "dog!"),
        ("a cat", "a ", "a cats", "a cats"),
        ("a cat", "a cats", "a ", "a cats"),
        ("a\nb\nc\n", "a\nc\n", "a\nb\nc\nd\n", "a\nc\nd\n"),
        ("a\nb\nc\n", "", "a\nb\nnew\nc\n", "new\n"),
        ("", "theirs", "ours", "ours theirs"),
        ("see the end", "see theirs the end", "see ours the end", "see ours theirs the end"),
        ("a cat, sat", "a dog, sat", "a cat- sat", "a dog- sat"),
    ],
)
def test_where_both_changed(base: str, theirs: str, ours: str, result: str) -> None:
    assert merged(base, theirs, ours) == result


def test_a_line_in_place_of_quite_another_one_shares_no_letter_with_it() -> None:
    """Somebody else may be deleting that one."""
    assert diff("a\nfirst line of all\nb\n", "a\nsomething else\nb\n") == [Edit(2, 20, "something else\n")]


def test_a_deleted_line_takes_no_words_of_another_one_along() -> None:
    base, theirs = "a\nold words of mine\nb\n", "a\nb\n"
    ours = "a\nnew ones of yours\nb\n"
    assert apply_edits(ours, merge(base, theirs, ours)) == ours


LINE = "a line with words in it\n"
CHANGED = "a line with other words in it\n"


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "result"),
    [
        (f"a\n{LINE}b\n", f"a\n{CHANGED}b\n", "a\nb\n", f"a\n{CHANGED}b\n"),
        (f"a\n{LINE}b\n", "a\nb\n", f"a\n{CHANGED}b\n", f"a\n{CHANGED}b\n"),
        (f"{LINE}b\n", f"new\n{CHANGED}b\n", "b\n", f"new\n{CHANGED}b\n"),
        (f"a\n{LINE}b\nc\n", "quite another\nc\n", f"a\n{CHANGED}b\nc\n", f"quite another\n{CHANGED}c\n"),
        (f"a\n{LINE}b\n", f"a\nso {CHANGED}b\n", "b\n", f"so {CHANGED}b\n"),
    ],
)
def test_a_line_that_one_changed_and_the_other_deleted_stays_whole(
    base: str, theirs: str, ours: str, result: str
) -> None:
    assert merged(base, theirs, ours) == result


def test_two_lines_that_look_alike_are_not_glued_to_a_third_one() -> None:
    """Seed 80051 of the simulated mirror: the fourth line came back where the third was deleted here."""
    base, theirs = "first line 3 of it\nfirst line 5 of it\n", "another\nfirst line 4 of it\nfirst line 5 of it\n"
    assert merged(base, theirs, "first line 5 of it\n") == theirs


@given(
    st.lists(st.tuples(st.sampled_from("=+-#"), st.sampled_from("=+-#")), max_size=8),
    st.lists(st.sampled_from(["alpha", "beta", "gamma"]), min_size=8, max_size=8),
)
def test_no_line_is_glued_to_another_one(changes: list[tuple[str, str]], words: list[str]) -> None:
    """Each side leaves a line, puts one before it, deletes it, or changes a word in it."""
    base = [f"line {number} says {word} here and there" for number, word in enumerate(words[: len(changes)])]
    sides: list[list[str]] = []
    for which in (0, 1):
        lines: list[str] = []
        for number, kinds in enumerate(changes):
            kept, new = base[number], f"{('theirs', 'ours')[which]} {number} is new"
            lines += {"=": [kept], "+": [new, kept], "-": [], "#": [kept.replace("says", f"saith{which}")]}[
                kinds[which]
            ]
        sides.append(lines)
    theirs, ours = sides
    result = merged(*("".join(f"{line}\n" for line in one) for one in (base, theirs, ours))).splitlines()
    both = {kept.replace("says", "saith1 saith0") for kept in base}
    assert set(result) <= {*base, *theirs, *ours, *both}
    assert set(result) >= {line for line in (*theirs, *ours) if "is new" in line}


WORDS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]), unique=True).map(
    lambda words: "".join(f"{word}\n" for word in words)
)


@given(WORDS, WORDS)
def test_without_a_known_base_nothing_is_lost_and_what_is_common_is_there_once(theirs: str, ours: str) -> None:
    base = common_lines(theirs, ours)
    found = Counter(apply_edits(ours, merge(base, theirs, ours)).splitlines())
    assert found >= Counter(ours.splitlines()) | Counter(theirs.splitlines())
    assert all(found[line] == 1 for line in base.splitlines())


@given(texts, texts)
def test_the_whole_change_makes_the_new_text(old: str, new: str) -> None:
    assert apply_edits(old, [whole_change(old, new)]) == new


def test_a_line_that_grew_long_is_the_same_line() -> None:
    begun = "a line as it was\n"
    grown = begun.replace("\n", " " + "and much was written at its end, " * 5 + "\n")
    own = begun.replace("line", "short line")
    assert apply_edits(own, merge(begun, grown, own)) == grown.replace("line", "short line")
