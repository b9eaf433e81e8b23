"""A process that types into a project until it is killed; run as a script with folder and seed.

It types while the other files of the folder are still being brought in, if there are many, and never looks at them.
Says on standard output, one line each, how many letters were typed when `flush` of the replica returned. What it types
is told by the seed alone: letter by letter `typed_by(seed, count)`.
"""

import asyncio
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def typed_by(seed: int, count: int) -> str:
    chance = random.Random(seed)
    return "".join(chance.choice("abc é😀\n") for _ in range(count))


async def _type(folder: Path, seed: int) -> None:
    from texswarm_desktop.services.project import Project

    with ThreadPoolExecutor(max_workers=2) as executor:
        project = await Project.open(folder, store_executor=executor, bit_by_bit=True)
        file_id = project.document.main_file
        assert file_id is not None
        text = project.document.text(file_id)
        start, chance, letters = text.index.total_cp, random.Random(seed + 1), typed_by(seed, 100_000)
        done = 0
        while True:
            for _ in range(chance.randrange(1, 20)):
                text.replace_cp(start + done, start + done, letters[done])
                done += 1
            if chance.random() < 0.3 and len(project.document.files) == 1:
                await project.flush()
            else:
                await asyncio.sleep(0)
                await project.kept()
            print(done, flush=True)


if __name__ == "__main__":
    asyncio.run(_type(Path(sys.argv[1]), int(sys.argv[2])))
