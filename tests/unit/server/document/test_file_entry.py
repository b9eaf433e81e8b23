"""The files of a project are read from a map that strangers may have written."""

from typing import Any

import pytest

from texswarm_server.document.blob_contents import SET
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.file_entry import FileId, read_files
from texswarm_server.protocol.ids import BlobHash

ONE, TWO = (BlobRef(BlobHash(digit * 64), 1) for digit in "12")


def shown(written: dict[str, Any]) -> dict[str, str]:
    return {str(file_id): entry.path for file_id, entry in read_files(written, {}).entries.items()}


def test_where_two_have_one_path_the_smaller_id_keeps_it() -> None:
    text = {"path": "a.tex", "kind": "text"}
    assert shown({"2": text, "1": text}) == {"1": "a.tex", "2": "a (2).tex"}


def test_a_path_that_leads_out_of_the_project_is_told_apart() -> None:
    tree = read_files({"1": {"path": "../a.tex"}, "2": {"path": "b.tex"}}, {})
    assert (dict(tree.unsafe), list(tree.entries)) == ({"1": "../a.tex"}, ["2"])


@pytest.mark.parametrize("entry", [None, 1, [], {}, {"path": 1}])
def test_what_has_no_path_is_no_file(entry: object) -> None:
    tree = read_files({"1": entry}, {})
    assert (dict(tree.entries), dict(tree.unsafe)) == ({}, {})


@pytest.mark.parametrize("entry", [{"kind": "blob"}, {"kind": "text", "blob": ONE.to_map()}, {"blob": ONE.to_map()}])
def test_what_is_half_a_binary_file_is_none(entry: dict[str, Any]) -> None:
    assert shown({"1": {"path": "a.png", **entry}}) == {}


def test_a_binary_file_has_its_content_and_what_lost_against_it() -> None:
    both = {SET + one.blob_hash: one.to_map() for one in (ONE, TWO)}
    tree = read_files({"1": {"path": "a.png", "kind": "blob", "blob": TWO.to_map(), **both}}, {})
    assert tree.entries[FileId("1")].blob == TWO
    assert dict(tree.lost) == {"1": [ONE]}
