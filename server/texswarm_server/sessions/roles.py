"""What the roles of a document allow, and their order."""

from typing import Final

from texswarm_server.protocol.messages import RoleName

_RANKS: Final[dict[RoleName, int]] = {"viewer": 0, "editor": 1, "owner": 2}


def can_edit(role: RoleName) -> bool:
    """Whether updates of this role are taken in."""
    return role != "viewer"


def can_invite(role: RoleName | None) -> bool:
    """Whether this role may let others into the document."""
    return role == "owner"


def can_administer(role: RoleName | None) -> bool:
    """Whether this role may change the roles of others, take them out, and see who was invited."""
    return role == "owner"


def higher(role: RoleName | None, other: RoleName) -> RoleName:
    """Return the one that allows more; an invite never lowers a role."""
    return other if role is None or _RANKS[other] > _RANKS[role] else role
