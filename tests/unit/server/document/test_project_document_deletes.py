"""A file that one person deletes while another types in it: whoever typed could not know, and nothing of it is lost."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from texswarm_server.document import FileId, ProjectDocument
from texswarm_server.document.removed_texts import RemovedText


def exchange(one: ProjectDocument, other: ProjectDocument) -> None:
    """Until both have everything: who hears of an edit may have something to say to it."""
    while one.state_vector() != other.state_vector() or dict(one.files) != dict(other.files):
        one.apply(other.update_since(one.state_vector()))
        other.apply(one.update_since(other.state_vector()))


def with_file(text: str = "x") -> tuple[ProjectDocument, ProjectDocument, FileId]:
    one, other = ProjectDocument(), ProjectDocument()
    file_id = one.add_file("a.tex", text)
    exchange(one, other)
    return one, other, file_id


def test_what_is_typed_while_another_deletes_the_file_brings_it_back() -> None:
    one, other, file_id = with_file()
    told: list[bool] = []
    one.remove_file(file_id)
    one.on_update = lambda _, is_local: told.append(is_local)
    other.text(file_id).replace_cp(1, 1, "typed meanwhile")
    exchange(one, other)
    assert {str(document.text(file_id)) for document in (one, other)} == {"xtyped meanwhile"}
    assert one.file_at("a.tex") == other.file_at("a.tex") == file_id
    assert True in told  # so it is kept and goes out like anything that is done here


def test_a_file_stays_deleted_when_the_other_only_took_something_out() -> None:
    one, other, file_id = with_file("some words")
    one.remove_file(file_id)
    other.text(file_id).replace_cp(0, 5, "")
    exchange(one, other)
    assert dict(one.files) == dict(other.files) == {}


def test_a_file_stays_deleted_when_everything_in_it_was_known() -> None:
    one, other, file_id = with_file()
    other.text(file_id).replace_cp(1, 1, "typed before")
    exchange(one, other)
    one.remove_file(file_id)
    exchange(one, other)
    assert dict(one.files) == dict(other.files) == {}


def test_it_has_a_number_where_its_name_was_given_to_another_file() -> None:
    one, other, file_id = with_file()
    one.remove_file(file_id)
    one.add_file("a.tex", "another")
    other.text(file_id).replace_cp(1, 1, "typed meanwhile")
    exchange(one, other)
    assert {entry.path for entry in one.files.values()} == {"a.tex", "a (2).tex"}


def test_what_was_removed_is_known_again_after_a_restart() -> None:
    one, other, file_id = with_file()
    one.remove_file(file_id)
    again, returned = ProjectDocument(), []
    again.load([one.update_since()])
    again.remember_removed(one.removed_here)
    again.on_file_returned = lambda *told: returned.append(told)
    other.text(file_id).replace_cp(1, 1, "typed meanwhile")
    exchange(again, other)
    assert str(again.text(file_id)) == "xtyped meanwhile"
    assert (returned, dict(again.removed_here)) == ([(file_id, frozenset({other.client_id}))], {})


def test_what_is_there_is_not_taken_for_removed() -> None:
    one, _, file_id = with_file()
    one.remember_removed({file_id: RemovedText("a.tex"), "other": RemovedText("../b.tex")})
    assert dict(one.removed_here) == {}


def test_the_latest_removals_are_remembered() -> None:
    one = ProjectDocument()
    one.remember_removed({f"{number}": RemovedText(f"{number}.tex") for number in range(600)})
    assert (len(one.removed_here), list(one.removed_here.values())[-1]) == (500, RemovedText("599.tex"))


steps = st.tuples(st.sampled_from(("type", "type", "remove", "send")), st.integers(0, 1), st.integers(0, 2))


@given(st.lists(steps, max_size=30))
def test_whatever_nobody_knew_who_deleted_is_there_in_the_end(plan: list[tuple[str, int, int]]) -> None:
    both = ProjectDocument(), ProjectDocument()
    ids = [both[0].add_file(f"{name}.tex") for name in "abc"]
    exchange(*both)
    written: list[str] = []
    deleted: set[str] = set()
    for kind, who, which in plan:
        document, file_id = both[who], ids[which]
        if kind == "send":
            both[1 - who].apply(document.update_since(both[1 - who].state_vector()))
        elif file_id in document.files and kind == "type":
            written.append(f"<{len(written)}>")
            document.text(file_id).replace_cp(0, 0, written[-1])
        elif file_id in document.files:
            deleted |= {word for word in written if word in str(document.text(file_id))}
            document.remove_file(file_id)
    exchange(*both)
    assert texts(both[0]) == texts(both[1])
    assert [word for word in written if word not in deleted and word not in "".join(texts(both[0]))] == []


def texts(document: ProjectDocument) -> Iterable[str]:
    return [str(document.text(file_id)) for file_id in sorted(document.files)]
