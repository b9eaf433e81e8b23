"""The project document: its tree, and what it makes of strangers' bytes."""

import random
from typing import Any

import pycrdt
import pytest

from texswarm_server.document import FileId, ProjectDocument, project_document
from texswarm_server.document.blob_contents import read_changes
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.text_format import PLAIN, TextFormat
from texswarm_server.protocol.errors import (
    DamagedDocumentError,
    FilePathError,
    MalformedUpdateError,
    UnknownFileError,
)
from texswarm_server.protocol.ids import BlobHash, Lineage


def copy_of(document: ProjectDocument) -> ProjectDocument:
    copy = ProjectDocument()
    copy.apply(document.update_since())
    return copy


def recorded() -> tuple[ProjectDocument, list[bytes]]:
    document, updates = ProjectDocument(), list[bytes]()
    document.on_update = lambda update, is_local: updates.append(update)
    return document, updates


def test_a_copy_has_title_lineage_files_and_main_file() -> None:
    document = ProjectDocument()
    document.initialise("A paper", Lineage("l-1"))
    chapter = document.add_file("chapters/one.tex", "One")
    document.main_file = chapter

    copy = copy_of(document)

    assert (copy.title, copy.lineage, copy.main_file) == ("A paper", "l-1", chapter)
    assert str(copy.text(chapter)) == "One"


def test_the_main_file_is_main_tex_unless_chosen() -> None:
    document = ProjectDocument()
    document.add_file("a.tex")
    main = document.add_file("main.tex")

    assert document.main_file == main


def test_two_files_of_one_name_are_both_shown_and_the_same_everywhere() -> None:
    one, other = ProjectDocument(), ProjectDocument()
    one.add_file("intro.tex", "first")
    other.add_file("intro.tex", "second")
    one.apply(other.update_since())
    other.apply(one.update_since())

    assert dict(one.files) == dict(other.files)
    assert sorted(entry.path for entry in one.files.values()) == ["intro (2).tex", "intro.tex"]


def test_a_figure_has_a_hash_and_a_size_and_no_text() -> None:
    document = ProjectDocument()
    text, figure = document.add_file("a.tex"), document.add_blob("a.png", BlobRef(BlobHash("0a" * 32), 7))
    document.set_blob(figure, BlobRef(BlobHash("0b" * 32), 8))

    copy = copy_of(document)

    assert copy.files[figure].blob == BlobRef(BlobHash("0b" * 32), 8)
    assert (list(copy.text_files), list(copy.blob_files)) == ([text], [figure])
    for forbidden in (lambda: copy.text(figure), lambda: copy.set_blob(text, BlobRef(BlobHash("0b" * 32), 8))):
        with pytest.raises(UnknownFileError):
            forbidden()


def test_two_who_give_a_figure_another_content_at_once_agree_on_one_of_them() -> None:
    one = ProjectDocument()
    figure = one.add_blob("a.png", BlobRef(BlobHash("0a" * 32), 1))
    other = copy_of(one)
    refs = [BlobRef(BlobHash("0b" * 32), 2), BlobRef(BlobHash("0c" * 32), 3)]
    one.set_blob(figure, refs[0])
    other.set_blob(figure, refs[1])
    one.apply(other.update_since())
    other.apply(one.update_since())

    assert one.files[figure].blob == other.files[figure].blob
    assert one.files[figure].blob in refs


def test_a_figure_that_does_not_say_which_is_not_shown_nor_is_a_text_that_says_it() -> None:
    document = ProjectDocument()
    half: dict[str, dict[str, Any]] = {
        "a": {"kind": "blob"},
        "b": {"kind": "text", "blob": {"hash": "0a" * 32, "size": 1}},
    }
    for file_id, entry in half.items():
        document._files[file_id] = pycrdt.Map({"path": f"{file_id}.png", **entry})

    assert document.files == {}


def test_a_figure_is_never_the_main_file() -> None:
    document = ProjectDocument()
    figure = document.add_blob("main.tex", BlobRef(BlobHash("0a" * 32), 1))
    document._meta["main"] = figure

    assert document.main_file is None


def test_a_rename_keeps_the_text_and_a_taken_path_is_refused() -> None:
    document = ProjectDocument()
    first, _second = document.add_file("a.tex", "A"), document.add_file("b.tex")
    document.rename_file(first, "c.tex")

    assert str(document.text(first)) == "A"
    with pytest.raises(FilePathError):
        document.rename_file(first, "b.tex")


def test_a_path_that_leaves_the_project_is_refused() -> None:
    with pytest.raises(FilePathError):
        ProjectDocument().add_file("../a")


def test_entries_that_are_not_files_are_passed_over() -> None:
    document = ProjectDocument()
    good = document.add_file("a.tex")
    document._files["x"] = 5
    document._files["y"] = pycrdt.Map({"path": "../../etc/passwd"})
    document._files["z"] = pycrdt.Map({"path": 7})
    document._meta["title"] = 12
    document._meta["main"] = "nobody"

    assert set(document.files) == {good}
    assert (document.title, document.main_file) == ("", good)


def test_listeners_hear_of_files_and_texts_changed_elsewhere() -> None:
    document, updates = recorded()
    file_id = document.add_file("a.tex")
    copy = copy_of(document)
    heard: list[str] = []
    copy.on_file_touched = heard.append
    copy.on_files_changed = lambda: heard.append("tree")
    updates.clear()

    document.text(file_id).replace_u16(0, 0, "x")
    document.rename_file(file_id, "b.tex")
    for update in updates:
        copy.apply(update)

    assert heard == [file_id, "tree"]


def test_applying_twice_says_that_nothing_changed() -> None:
    document = ProjectDocument()
    document.add_file("a.tex", "x")
    copy = ProjectDocument()

    assert copy.apply(document.update_since())
    assert not copy.apply(document.update_since())


@pytest.mark.parametrize("junk", [b"", b"\x01", b"hello", b"\xff" * 40, b"\x00"])
def test_bytes_that_are_no_update_are_refused_and_change_nothing(junk: bytes) -> None:
    document = ProjectDocument()
    document.add_file("a.tex", "x")
    before = document.update_since()
    with pytest.raises(MalformedUpdateError):
        document.apply(junk)

    assert document.update_since() == before


def test_a_state_vector_that_is_none_is_refused() -> None:
    with pytest.raises(MalformedUpdateError):
        ProjectDocument().update_since(b"\xff\xff")


def test_only_documented_errors_come_out_of_mutated_updates() -> None:
    chance = random.Random(7)
    document = ProjectDocument()
    file_id = document.add_file("a.tex", "some text é😀")
    document.text(file_id).replace_cp(3, 6, "more")
    good = document.update_since()
    refused = 0
    for _ in range(600):
        bad = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        try:
            copy_of(document).apply(bytes(bad))
        except (MalformedUpdateError, DamagedDocumentError):
            refused += 1

    assert refused > 100


def test_a_path_that_is_taken_gets_a_number() -> None:
    project = ProjectDocument()
    project.add_file("s/a.tex")
    project.add_file("s/a (2).tex")
    assert (project.free_path("s/a.tex"), project.free_path("a.tex")) == ("s/a (3).tex", "a.tex")


DOS = TextFormat("latin-1", newline="\r\n")


def test_how_a_file_is_spelled_travels_and_plain_stays_unsaid() -> None:
    document = ProjectDocument()
    plain, dos = document.add_file("a.tex", "a", spelling=PLAIN), document.add_file("b.tex", "b", spelling=DOS)
    document.set_spelling(plain, PLAIN)
    assert "spelling" not in document._files.to_py()[plain]
    copy = copy_of(document)
    assert (copy.files[plain].spelling, copy.files[dos].spelling) == (None, DOS)
    copy.rename_file(dos, "c.tex")
    copy.set_spelling(dos, PLAIN)  # said from now on: somebody wished so
    assert copy.files[dos].spelling == PLAIN
    with pytest.raises(UnknownFileError):
        copy.set_spelling(copy.add_blob("x.png", BlobRef(BlobHash("0" * 64), 1)), DOS)


def test_a_file_that_comes_back_is_spelled_as_before() -> None:
    document = ProjectDocument()
    file_id = document.add_file("a.tex", "a", spelling=DOS)
    other = copy_of(document)
    document.remove_file(file_id)
    other.text(file_id).replace_cp(0, 0, "typed ")
    document.apply(other.update_since())
    assert document.files[file_id].spelling == DOS


def test_a_spelling_that_nobody_knows_is_passed_over() -> None:
    stranger: Any = pycrdt.Doc()
    files = stranger.get("files", type=pycrdt.Map)
    for name, said in {"a": {"encoding": "utf-7"}, "b": 7, "c": {"encoding": "latin-1"}}.items():
        files[name] = pycrdt.Map({"path": f"{name}.tex", "kind": "text", "spelling": said})
    document = ProjectDocument()
    document.apply(stranger.get_update())
    assert [entry.spelling for entry in document.files.values()] == [None, None, TextFormat("latin-1")]


def conflicting() -> tuple[ProjectDocument, ProjectDocument, FileId, list[BlobRef]]:
    """Two replicas that gave one figure other contents, and do not know of each other."""
    one, other = ProjectDocument(client_id=1), ProjectDocument(client_id=2)
    refs = [BlobRef(BlobHash(f"0{digit}" * 32), 1) for digit in "abcd"]
    figure = one.add_blob("a.png", refs[0])
    other.apply(one.update_since())
    one.set_blob(figure, refs[1])
    other.set_blob(figure, refs[2])
    return one, other, figure, refs


def exchange(one: ProjectDocument, other: ProjectDocument) -> None:
    for source, target in ((one, other), (other, one)):
        target.apply(source.update_since(target.state_vector()))


def test_what_lost_against_another_content_is_known_at_both() -> None:
    one, other, figure, refs = conflicting()
    exchange(one, other)
    won = one.files[figure].blob
    assert one.lost_blobs == other.lost_blobs == {figure: [ref for ref in refs[1:3] if ref != won]}


def test_a_content_that_takes_the_place_of_one_it_knows_of_lets_that_one_not_lose() -> None:
    one, other, figure, refs = conflicting()
    exchange(one, other)
    lost = one.lost_blobs
    one.set_blob(figure, refs[3])
    exchange(one, other)
    assert one.files[figure].blob == other.files[figure].blob == refs[3]
    assert one.lost_blobs == other.lost_blobs == lost  # which is not kept yet, and was seen by nobody


def test_what_lost_and_is_not_kept_yet_outlives_the_file() -> None:
    one, other, figure, _refs = conflicting()
    exchange(one, other)
    (lost,) = one.lost_blobs[figure]
    one.remove_file(figure)
    one.return_blobs(figure)
    exchange(one, other)
    assert [entry.blob for entry in other.files.values()] == [lost]


def test_two_who_keep_what_lost_make_one_file() -> None:
    one, other, figure, _refs = conflicting()
    exchange(one, other)
    (lost,) = one.lost_blobs[figure]
    for replica in (one, other):
        replica.keep_lost_blob(figure, lost, "a (2).png")
    exchange(one, other)
    assert one.files == other.files
    assert {entry.path: entry.blob for entry in one.files.values()} == {
        "a.png": one.files[figure].blob,
        "a (2).png": lost,
    }
    assert not one.lost_blobs


def test_of_a_program_that_does_not_name_its_content_twice_nothing_is_thought() -> None:
    one, other, figure, refs = conflicting()
    exchange(one, other)
    one._files[figure]["blob"] = refs[3].to_map()
    assert not one.lost_blobs


def agreed() -> tuple[ProjectDocument, ProjectDocument, FileId, list[BlobRef]]:
    """The same, when they know of each other and what lost was kept elsewhere."""
    one, other, figure, refs = conflicting()
    exchange(one, other)
    one.keep_lost_blob(figure, one.lost_blobs[figure][0], None)
    exchange(one, other)
    return one, other, figure, refs


def test_a_figure_that_was_changed_while_somebody_deleted_it_comes_back_once() -> None:
    one, other, figure, refs = agreed()
    one.set_blob(figure, refs[3])
    other.remove_file(figure)
    exchange(one, other)
    assert not one.files
    assert one.changed_while_removed == other.changed_while_removed
    for replica in (one, other):
        replica.return_blobs(figure)
    exchange(one, other)
    assert one.files == other.files
    assert [(entry.file_id, entry.path, entry.blob) for entry in one.files.values()] == [(figure, "a.png", refs[3])]
    assert not one.changed_while_removed


def test_each_content_that_was_set_while_somebody_deleted_the_figure_comes_back() -> None:
    one, other, figure, refs = conflicting()
    third = ProjectDocument(client_id=3)
    base = ProjectDocument(client_id=4)
    base.apply(one.update_since())
    third.apply(base.update_since())
    third.remove_file(figure)  # knows of one's content, and not of the other's
    exchange(one, other)
    exchange(third, one)
    exchange(one, other)
    for replica in (one, other):
        replica.return_blobs(figure)
    exchange(one, other)
    assert one.files == other.files
    assert {entry.blob for entry in one.files.values()} == {refs[2]}


def test_who_deletes_a_figure_as_it_is_deletes_it_for_good() -> None:
    one, other, figure, _refs = agreed()
    other.remove_file(figure)
    exchange(one, other)
    assert not one.files
    assert not one.changed_while_removed


def test_what_is_to_return_is_read_once_for_each_change(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, figure, _refs = conflicting()
    reads: list[None] = []
    monkeypatch.setattr(project_document, "read_changes", lambda told: (reads.append(None), read_changes(told))[1])
    other.remove_file(figure)
    exchange(one, other)
    for _ in range(10):
        assert one.changed_while_removed
    before = len(reads)
    assert one.changed_while_removed
    assert len(reads) == before
    one.return_blobs(figure)
    assert not one.changed_while_removed


def test_of_changes_that_are_not_of_their_form_nothing_comes_back() -> None:
    one, _other, figure, refs = conflicting()
    one.remove_file(figure)
    for key, value in ((f"{figure} x", refs[1].to_map()), ("", 3), (f"{figure} {refs[1].blob_hash}", {"path": "../x"})):
        one._changed[key] = value
    one._changed[f"{figure} {refs[2].blob_hash}"] = {"path": "a.png", **refs[1].to_map()}
    assert not one.changed_while_removed


def test_what_somebody_set_while_another_deleted_the_figure_and_brought_it_back_is_not_forgotten() -> None:
    one, other, figure, refs = agreed()
    one.set_blob(figure, refs[3])
    other.remove_file(figure)
    other.bring_back_blob(figure, "a.png", refs[0])
    exchange(one, other)
    assert one.files == other.files
    assert one.files[figure].blob == refs[0]
    assert one.lost_blobs == other.lost_blobs == {figure: [refs[3]]}


def test_of_two_who_bring_a_figure_back_with_other_contents_neither_is_forgotten() -> None:
    one, other, figure, refs = agreed()
    one.remove_file(figure)
    exchange(one, other)
    for replica, blob in ((one, refs[0]), (other, refs[3])):
        replica.bring_back_blob(figure, "a.png", blob)
    exchange(one, other)
    (lost,) = one.lost_blobs[figure]
    assert {one.files[figure].blob, lost} == {refs[0], refs[3]}


def test_a_figure_that_two_brought_back_and_one_deleted_again_is_there_as_the_other_has_it() -> None:
    one, other, figure, refs = agreed()
    one.remove_file(figure)
    exchange(one, other)
    for replica, blob in ((one, refs[0]), (other, refs[3])):
        replica.bring_back_blob(figure, "a.png", blob)
    other.remove_file(figure)
    exchange(one, other)
    for replica in (one, other):
        replica.return_blobs(figure)
    exchange(one, other)
    assert one.files == other.files
    assert one.files[figure].blob == refs[0]
    assert not one.lost_blobs
