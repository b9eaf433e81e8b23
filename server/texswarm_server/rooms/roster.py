"""Who is in a document, in the order in which that changed: what somebody was not told yet is the end of the list.

A few people are told everything on every change, as one list. In a crowd the list would go to everybody for everybody
who comes, so there each is told what changed since, a portion at a time.
"""

from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import Final

from texswarm_server.protocol.ids import Handle
from texswarm_server.protocol.messages import Participant, Participants, ParticipantsChanged

#: Up to how many people the list is told whole.
FEW: Final = 20
_PORTION: Final = 100
_GONE_KEPT: Final = 1000


class Roster:
    """`everybody` returns the participants as they are to be listed. A number stands for each moment; 0 is before all.

    Invariant: who is told all portions from 0 on, one after the other, knows the list.
    """

    def __init__(self, handle: Handle, everybody: Callable[[], list[Participant]]) -> None:
        self._handle = handle
        self._everybody = everybody
        self._changes: OrderedDict[str, tuple[int, Participant | None]] = OrderedDict()
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._forgotten_at = 0
        self._portions: dict[int, tuple[Participants | ParticipantsChanged, int]] = {}
        self.moment = 0

    def put(self, participant: Participant) -> None:
        """Note that somebody came, or is shown otherwise from now on."""
        self._gone.pop(participant.participant_id, None)
        self._note(participant.participant_id, participant)

    def remove(self, participant_id: str) -> None:
        """Note that somebody has gone."""
        self._gone[participant_id] = None
        self._note(participant_id, None)
        if len(self._gone) > _GONE_KEPT:
            forgotten, _ = self._gone.popitem(last=False)
            self._forgotten_at = self._changes.pop(forgotten)[0]

    def news(self, moment: int) -> tuple[Participants | ParticipantsChanged, int]:
        """Return what to tell somebody who knows the list as it was at `moment`, and of which moment it is known then.

        Where that is not yet `self.moment`, there is more to tell.
        """
        if self._is_small:
            moment = 0
        if (portion := self._portions.get(moment)) is None:
            portion = self._portions[moment] = self._whole() if moment == 0 else self._since(moment)
        return portion

    @property
    def _is_small(self) -> bool:
        return len(self._changes) - len(self._gone) <= FEW

    def _note(self, participant_id: str, participant: Participant | None) -> None:
        self.moment += 1
        self._changes[participant_id] = self.moment, participant
        self._changes.move_to_end(participant_id)
        self._portions.clear()

    def _whole(self) -> tuple[Participants | ParticipantsChanged, int]:
        if self._is_small:
            return Participants(handle=self._handle, participants=self._everybody()), self.moment
        first, known_at = self._portion(0)
        listed = [participant for participant in first.values() if participant is not None]
        more = known_at < self.moment
        return Participants(handle=self._handle, participants=listed, more=more), known_at

    def _since(self, moment: int) -> tuple[Participants | ParticipantsChanged, int]:
        if moment < self._forgotten_at:
            return self._whole()
        changed, known_at = self._portion(moment)
        return (
            ParticipantsChanged(
                handle=self._handle,
                participants=[participant for participant in changed.values() if participant is not None],
                gone=[participant_id for participant_id, participant in changed.items() if participant is None],
                more=known_at < self.moment,
            ),
            known_at,
        )

    def _portion(self, moment: int) -> tuple[dict[str, Participant | None], int]:
        """Return the oldest changes after a moment, and the moment of the last of them."""
        if moment == 0:
            oldest = islice(self._changes.items(), _PORTION)
            portion = [(participant_id, at, participant) for participant_id, (at, participant) in oldest]
        else:
            portion = self._later_than(moment)[: -_PORTION - 1 : -1]
        return {each[0]: each[2] for each in portion}, portion[-1][1] if portion else self.moment

    def _later_than(self, moment: int) -> list[tuple[str, int, Participant | None]]:
        """Return the changes after a moment, the latest first."""
        later: list[tuple[str, int, Participant | None]] = []
        for participant_id, (at, participant) in reversed(self._changes.items()):
            if at <= moment:
                break
            later.append((participant_id, at, participant))
        return later
