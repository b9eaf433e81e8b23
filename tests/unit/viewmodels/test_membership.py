"""What an owner reads of members and invitations."""

import pytest

from texswarm_desktop.viewmodels.membership import Invitation, Member, Membership, sorted_members
from texswarm_desktop.viewmodels.people import Person

ADA, BOB, CY = (Person(name.lower(), name, "#336699") for name in ("Ada", "bob", "Cy"))


def test_oneself_comes_first_and_who_is_out_last() -> None:
    members = (Member(BOB, "viewer", is_out=True), Member(CY, "editor"), Member(ADA, "owner", is_me=True))
    assert [one.person.name for one in sorted_members(members)] == ["Ada", "Cy", "bob"]


def test_owners_who_are_out_do_not_count() -> None:
    assert Membership((Member(ADA, "owner"), Member(BOB, "owner", is_out=True), Member(CY, "editor"))).owners == 1


@pytest.mark.parametrize(("banned", "words"), [(True, "banned"), (False, "removed")])
def test_a_ban_is_told_apart(banned: bool, words: str) -> None:
    assert Member(BOB, "viewer", is_out=True, is_banned=banned).words == words


@pytest.mark.parametrize(
    ("invitation", "words"),
    [
        (Invitation("i", "editor"), "not used yet · does not expire"),
        (Invitation("i", "editor", uses=1), "used once · does not expire"),
        (Invitation("i", "editor", uses=3), "used 3 times · does not expire"),
        (Invitation("i", "editor", uses=2, max_uses=5), "used 2 of 5 times · does not expire"),
        (Invitation("i", "editor", expires_at=1_800_014_400.0), "not used yet · until 15 January 2027"),
        (Invitation("i", "editor", way="code"), "not used yet · ends with the sharing"),
    ],
)
def test_an_invitation_says_what_it_is_good_for(invitation: Invitation, words: str) -> None:
    assert invitation.words == words


@pytest.mark.parametrize(
    ("invitation", "name"),
    [
        (Invitation("i", "editor"), "A link"),
        (Invitation("i", "editor", is_shared_link=True), "The link you share"),
        (Invitation("i", "editor", way="nearby"), "From the list on this network"),
        (Invitation("i", "editor", way="code"), "By the join code"),
        (Invitation("i", "editor", way="of a server that knows more ways"), "A link"),
    ],
)
def test_an_invitation_says_how_people_come_by_it(invitation: Invitation, name: str) -> None:
    assert invitation.name == name
