"""What patterns come to is told before they hold."""

from texswarm_desktop.core.ignore_rules import Sharing
from texswarm_desktop.core.sharing_preview import Match, PatternMatches, SharingPreview, preview, with_patterns


def test_each_pattern_is_told_with_its_files_and_what_becomes_of_them() -> None:
    sharing = Sharing(share=("out/plot.pdf",), leave_out=("drafts/", "none.*"))
    found = preview(
        sharing,
        shared={"main.tex", "out/plot.pdf"},
        left_out={"drafts/a.tex", "drafts/b.tex", "out/other.pdf"},
        in_project={"main.tex", "drafts/b.tex"},
    )
    assert found == SharingPreview(
        share=(PatternMatches("out/plot.pdf", (Match("out/plot.pdf", is_shared=True, is_in_project=False),)),),
        leave_out=(
            PatternMatches(
                "drafts/",
                (
                    Match("drafts/a.tex", is_shared=False, is_in_project=False),
                    Match("drafts/b.tex", is_shared=False, is_in_project=True),
                ),
            ),
            PatternMatches("none.*", ()),
        ),
        others=(Match("out/other.pdf", is_shared=False, is_in_project=False),),
    )


def test_patterns_are_typed_a_line_each() -> None:
    sharing = with_patterns(Sharing(build_products=("*.x",)), " a.tex \n\n", "b/\nc/")
    assert (sharing.share, sharing.leave_out, sharing.build_products) == (("a.tex",), ("b/", "c/"), ("*.x",))
