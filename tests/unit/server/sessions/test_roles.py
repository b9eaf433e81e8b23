"""Roles: what they allow, and that an invite never lowers one."""

from texswarm_server.sessions.roles import can_edit, can_invite, higher


def test_viewers_do_not_edit_and_only_owners_invite() -> None:
    assert [can_edit(role) for role in ("owner", "editor", "viewer")] == [True, True, False]
    assert [can_invite(role) for role in ("owner", "editor", "viewer", None)] == [True, False, False, False]


def test_the_higher_role_is_kept() -> None:
    assert higher(None, "viewer") == "viewer"
    assert higher("owner", "viewer") == "owner"
    assert higher("viewer", "editor") == "editor"
