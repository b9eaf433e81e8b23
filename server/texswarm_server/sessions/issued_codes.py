"""The join codes that an operator makes for a server without a window: each leads to an invite of its own. PURE.

Such a code holds until its invite ends, was handed out often enough, or five wrong tries burned it; then it is gone,
and no other one comes in its place. So who guesses has five tries in a million for each code that a person ever makes.
What is counted stands in the records and outlives the server; what is going on is known here.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from texswarm_server.pairing.join_code import JoinCode, new_join_code
from texswarm_server.protocol.errors import ErrorCode, RejectedError
from texswarm_server.protocol.messages import RoleName
from texswarm_server.sessions.administration import revoke_invite
from texswarm_server.sessions.audit import OPERATOR, SERVER, AuditAction, AuditEntry
from texswarm_server.sessions.code_tries import LIFE_S, MAX_USES, MAX_WRONG, Attempt, TriedCode, TryLimits
from texswarm_server.sessions.credentials import RandomBytes
from texswarm_server.sessions.document_access import issue_invite
from texswarm_server.sessions.records import Invite, InviteWay, Records, StoredCode
from texswarm_server.sessions.usable_invites import obstacle

LONGEST_LIFE_S: Final = 86400.0
#: All of them are announced, in one entry of 255 bytes.
MOST_CODES: Final = 50
_REMEMBERED_NUMBERS: Final = 64


@dataclass(frozen=True, slots=True)
class CodeGiven:
    """What a code led to: the invite's secret, and the document it is for."""

    token: str
    document_id: str | None


@dataclass(frozen=True, slots=True)
class HoldingCode:
    """A code that holds, `wrong` tries of it, and when it ends at the latest (seconds since the epoch)."""

    code: JoinCode
    wrong: int
    expires_at: float


def issue_code(
    records: Records,
    random: RandomBytes,
    now: float,
    *,
    role: RoleName,
    document_id: str | None = None,
    ttl_s: float = LIFE_S,
    uses: int = MAX_USES,
) -> JoinCode:
    """Make a code and the invite it leads to, by the wish of whoever runs the server.

    Raises RejectedError: document_not_found, or limit_exceeded where too many hold.
    """
    holding = holding_codes(records, now)
    if len(holding) >= MOST_CODES:
        raise RejectedError(ErrorCode.LIMIT_EXCEEDED, f"{MOST_CODES} codes hold already")
    issued = issue_invite(
        records, random, now, role=role, document_id=document_id, ttl_s=ttl_s, uses=uses, way=InviteWay.CODE
    )
    code = new_join_code(random, {one.code.nameplate for one in holding})
    records.put_join_code(
        StoredCode(
            nameplate=code.nameplate,
            words=" ".join(code.words),
            token=issued.token,
            token_hash=issued.invite.token_hash,
        )
    )
    _note(records, AuditAction.CODE_ISSUED, issued.invite, code.nameplate, now)
    return code


def holding_codes(records: Records, now: float) -> list[HoldingCode]:
    """Return the codes that hold now, the latest first; those that ended are forgotten."""
    holding = []
    for stored in records.join_codes():
        invite = _invite(records, stored, now)
        if invite is None:
            records.remove_join_code(stored.nameplate)
        else:
            holding.append(HoldingCode(_code(stored), stored.wrong, invite.expires_at or now + LONGEST_LIFE_S))
    return holding


def spend_code(records: Records, code: JoinCode, now: float) -> CodeGiven:
    """Hand out the invite that a code leads to, once more; raises RejectedError(code_expired)."""
    stored = _stored(records, code)
    invite = _invite(records, stored, now) if stored is not None else None
    if stored is None or invite is None:
        raise RejectedError(ErrorCode.CODE_EXPIRED, "the code has ended meanwhile")
    given = replace(stored, given=stored.given + 1)
    if invite.max_uses is not None and given.given >= invite.max_uses:
        records.remove_join_code(stored.nameplate)
    else:
        records.put_join_code(given)
    return CodeGiven(stored.token, invite.document_id)


def count_wrong(records: Records, code: JoinCode, now: float) -> None:
    """Note a wrong try, which ends the code when it was the last one; and its invite, unless somebody was given it."""
    stored = _stored(records, code)
    if stored is None:
        return
    if stored.wrong + 1 < MAX_WRONG:
        records.put_join_code(replace(stored, wrong=stored.wrong + 1))
        return
    records.remove_join_code(stored.nameplate)
    invite = records.find_invite(stored.token_hash)
    if invite is not None:
        _note(records, AuditAction.CODE_BURNED, invite, stored.nameplate, now)
        if not stored.given:
            revoke_invite(records, actor=SERVER, invite_id=invite.invite_id, now=now)


class IssuedCodes:
    """Who tries the codes that hold. Time is any steady clock in seconds."""

    def __init__(self) -> None:
        self._limits = TryLimits()
        self._tried: dict[str, TriedCode] = {}
        self._ended: deque[str] = deque(maxlen=_REMEMBERED_NUMBERS)
        self._burned: deque[JoinCode] = deque(maxlen=_REMEMBERED_NUMBERS)

    @property
    def nameplates(self) -> tuple[str, ...]:
        """The numbers of the codes that hold, the latest first."""
        return tuple(self._tried)

    def hold(self, codes: Iterable[HoldingCode]) -> None:
        """Take in which codes hold now; what goes on at those of before goes on."""
        before, self._tried = self._tried, {}
        for one in codes:
            if one.code in self._burned:  # the records have not heard of it yet
                continue
            known = before.get(one.code.nameplate)
            is_same = known is not None and known.code == one.code
            self._tried[one.code.nameplate] = known if known and is_same else TriedCode(one.code, one.wrong)
        self._ended.extend(number for number in before if number not in self._tried)

    def knows(self, nameplate: str) -> bool:
        """Whether a code with this number holds, or held."""
        return nameplate in self._tried or nameplate in self._ended

    def begin(self, nameplate: str, address: str, now: float) -> Attempt:
        """Let somebody at `address` try; raises RejectedError: `throttled` or `code_expired`."""
        self._limits.take(address, now)
        if nameplate not in self._tried:
            raise RejectedError(ErrorCode.CODE_EXPIRED, "no such code holds now")
        return self._tried[nameplate].begin()

    def owns(self, attempt: Attempt) -> bool:
        """Whether an attempt was begun here, at a code that still holds."""
        held = self._tried.get(attempt.code.nameplate)
        return held is not None and held.code is attempt.code

    def ended(self, attempt: Attempt) -> None:
        """Note that an attempt is over and was not wrong."""
        if self.owns(attempt):
            self._tried[attempt.code.nameplate].ends(attempt)

    def wrong(self, attempt: Attempt) -> bool:
        """Note a wrong try; True when that burned the code: nobody tries it any more."""
        if not self.owns(attempt) or not self._tried[attempt.code.nameplate].fail(attempt):
            return False
        del self._tried[attempt.code.nameplate]
        self._ended.append(attempt.code.nameplate)
        self._burned.append(attempt.code)
        return True


def _code(stored: StoredCode) -> JoinCode:
    first, second = stored.words.split(" ")
    return JoinCode(stored.nameplate, (first, second))


def _stored(records: Records, code: JoinCode) -> StoredCode | None:
    return next((one for one in records.join_codes() if _code(one) == code), None)


def _invite(records: Records, stored: StoredCode, now: float) -> Invite | None:
    """Return the invite a code leads to; None when the code has ended."""
    invite = records.find_invite(stored.token_hash)
    if invite is None or obstacle(invite, now) is not None or stored.wrong >= MAX_WRONG:
        return None
    is_given = invite.max_uses is not None and stored.given >= invite.max_uses
    return None if is_given else invite


def _note(records: Records, action: AuditAction, invite: Invite, nameplate: str, now: float) -> None:
    records.put_audit(
        AuditEntry(
            at=now,
            action=action,
            actor=OPERATOR if action is AuditAction.CODE_ISSUED else SERVER,
            document_id=invite.document_id or "",
            reference=invite.invite_id,
            role=invite.role,
            detail=nameplate,
        )
    )
