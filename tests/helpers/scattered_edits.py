"""Edits that several people made at once, each an update of its own, in the order they happened or in any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from texswarm_server.document import ProjectDocument
from texswarm_server.document.updates import merge_updates
from texswarm_server.protocol.ids import Lineage

if TYPE_CHECKING:
    import random

PATH = "main.tex"


@dataclass(frozen=True)
class ScatteredEdits:
    """What several people typed and deleted. `first`: what all had; `updates`: as they were made; `text`: all of it."""

    first: bytes
    updates: list[bytes]
    text: str

    def shuffled(self, chance: random.Random) -> list[bytes]:
        """Return the updates in another order: any at all, or with one that is late."""
        order = self.updates[:]
        if chance.random() < 0.5:
            chance.shuffle(order)
        else:
            late = order.pop(chance.randrange(len(order)))
            order.insert(chance.randrange(len(order) + 1), late)
        return order

    def in_turns(self, chance: random.Random) -> list[bytes]:
        """Return the updates in another order, some merged, as a server takes in what arrives at one moment."""
        order, turns = self.shuffled(chance), list[bytes]()
        while order:
            count = chance.choice((1, 1, 1, 2, 3))
            turns.append(merge_updates(order[:count]))
            del order[:count]
        return turns


def scattered_edits(chance: random.Random) -> ScatteredEdits:
    """Let one to four people write into one file, and exchange what they wrote now and then."""
    first = ProjectDocument(client_id=99)
    first.initialise("Paper", Lineage("l"))
    file_id = first.add_file(PATH)
    people = [ProjectDocument(client_id=number) for number in range(1, chance.randint(2, 5))]
    beginning, updates = first.update_since(), list[bytes]()
    for person in people:
        person.apply(beginning)
        person.on_update = lambda update, is_local: updates.append(update) if is_local else None
    for _ in range(chance.choice((3, 5, 8, 13, 30))):
        person = chance.choice(people)
        text = person.text(file_id)
        start = chance.randint(0, len(str(text)))
        end = min(len(str(text)), start + chance.choice((0, 0, 0, 1, 2)))
        text.replace_u16(start, end, chance.choice("abcdef\n") * chance.randint(1, 2))
        if chance.random() < 0.4:
            chance.choice(people).apply(person.update_since())
    for person in people:
        first.apply(person.update_since())
    return ScatteredEdits(beginning, updates, str(first.text(file_id)))
