"""What a merge of what another program saved comes to."""

from texswarm_desktop.core.stale_saves import FormerStates, former_state
from texswarm_desktop.core.text_merge import apply_edits
from texswarm_desktop.services.folder_intake import TextMerge
from texswarm_server.document.project_document import FileId

FIRST = "".join(f"first {word} line\n" for word in ("alpha", "beta", "gamma", "delta"))
LOADED = FIRST.replace("first gamma", "".join(f"{word} came here\n" for word in "abcdefghij") + "first gamma")


def merged(base: str, theirs: str, ours: str, former: FormerStates, now: float) -> tuple[str, FormerStates]:
    found = TextMerge(FileId("1"), "a.tex", base, theirs, ours, former, now).merged()
    return apply_edits(ours, found.edits), found.former


def test_what_an_editor_had_loaded_is_known_also_when_git_wrote_over_it() -> None:
    """Seed 301703 of the simulated mirror: what was typed meanwhile was taken for what the editor had taken out."""
    former = FormerStates((former_state(FIRST, 195.0),))
    ours, former = merged(LOADED, FIRST, LOADED + "typed meanwhile\nand this too\n", former, 200.0)
    assert "typed meanwhile" in ours
    written = former.after(former_state(FIRST, 201.0))
    saved, _ = merged(ours, LOADED + "saved by the editor\n", ours, written, 202.0)
    assert {"typed meanwhile", "and this too", "saved by the editor"} <= set(saved.splitlines())
