"""The invites for guests who found the server nearby, or had the join code: one for all of each, while it runs.

Nobody was sent it, so that nobody misses it: it ends with the run of the server that gave it out, and that of a run
that was killed ends when the next one begins. Who came by it is a member, and stays one.
"""

from typing import Final

from texswarm_server.protocol.messages import RoleName
from texswarm_server.sessions.administration import change_invite, revoke_invite
from texswarm_server.sessions.audit import OPERATOR
from texswarm_server.sessions.credentials import RandomBytes, hash_token
from texswarm_server.sessions.document_access import issue_invite
from texswarm_server.sessions.records import Invite, InviteWay, Records
from texswarm_server.sessions.usable_invites import obstacle

#: By which setting the next run knows of the invite of each way.
_KEPT_AS: Final = {InviteWay.CODE: "door_invite", InviteWay.NEARBY: "nearby_invite"}


class DoorInvite:
    """Decides inside one transaction of the records. Invariant: of the invites it made, at most one can be used.

    `way`: for whom it is.
    """

    def __init__(self, random: RandomBytes, way: InviteWay = InviteWay.CODE) -> None:
        self._random, self._way, self._kept_as = random, way, _KEPT_AS[way]
        self._token = ""

    def give(self, records: Records, now: float, *, role: RoleName, document_id: str | None, asks: bool) -> str:
        """Return the token for one more guest; a fresh one where the last was withdrawn, or led elsewhere.

        Raises RejectedError(document_not_found).
        """
        if self._usable(records, now, document_id) is None:
            self.revoke(records, now)
            issued = issue_invite(
                records, self._random, now, role=role, document_id=document_id, asks=asks, way=self._way
            )
            records.put_setting(self._kept_as, issued.invite.invite_id)
            self._token = issued.token
        else:
            self.change(records, now, role=role, document_id=document_id, asks=asks)
        return self._token

    def change(self, records: Records, now: float, *, role: RoleName, document_id: str | None, asks: bool) -> None:
        """Let what was given out be worth this from now on."""
        invite = self._usable(records, now, document_id)
        if invite is not None:
            change_invite(records, actor=OPERATOR, invite=invite, role=role, asks=asks, now=now)

    def revoke(self, records: Records, now: float) -> None:
        """Let nobody else in by what was given out, also in an earlier run."""
        invite_id = records.find_setting(self._kept_as)
        if invite_id:
            if records.find_invite_by_id(invite_id) is not None:
                revoke_invite(records, actor=OPERATOR, invite_id=invite_id, now=now)
            records.put_setting(self._kept_as, "")

    def _usable(self, records: Records, now: float, document_id: str | None) -> Invite | None:
        invite = records.find_invite(hash_token(self._token)) if self._token else None
        if invite is None or invite.document_id != document_id or obstacle(invite, now) is not None:
            return None
        return invite
