"""Whatever bytes a decoder is given, only documented errors come out.

The long run: `TEXSWARM_FUZZ_CASES=10000000 pytest -m campaign tests/fault/test_decoders.py`.
"""

import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fault.fuzzing.decoders import Decoder, decoders
from tests.fault.fuzzing.mutations import mutations

CASES = int(os.environ.get("TEXSWARM_FUZZ_CASES", "10000000"))
SEED = int(os.environ.get("TEXSWARM_FUZZ_SEED", "1"))
NAMES = list(decoders(Path()))


def fuzz(decoder: Decoder, seed: str, cases: int) -> Counter[str]:
    """Return how many cases came to what; fails for the first that raises what nobody documented."""
    outcomes: Counter[str] = Counter()
    for data in itertools.islice(mutations(random.Random(seed), decoder.samples), cases):
        try:
            decoder.read(data)
        except decoder.errors as error:
            outcomes[type(error).__name__] += 1
        except BaseException as error:
            pytest.fail(f"{type(error).__name__}: {error} from {data!r}")
        else:
            outcomes["read"] += 1
    return outcomes


def cases_for(name: str, every: Mapping[str, Decoder], total: int) -> int:
    """Return how many cases one decoder gets: rounded up, so that all together get no fewer than `total`."""
    return -(-total * every[name].share // sum(decoder.share for decoder in every.values()))


@pytest.mark.parametrize("total", [1, 1_000, 10_000_000, 10_000_019])
def test_a_campaign_runs_no_fewer_cases_than_it_says(total: int) -> None:
    every = decoders(Path())
    assert total <= sum(cases_for(name, every, total) for name in every) < total + len(every)


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_read(name: str, tmp_path: Path) -> None:
    decoder = decoders(tmp_path)[name]
    refused = 0
    for sample in decoder.samples:
        try:
            decoder.read(sample)
        except decoder.errors:
            refused += 1
    assert refused < len(decoder.samples)


@pytest.mark.parametrize("name", NAMES)
def test_only_documented_errors_come_out(name: str, tmp_path: Path) -> None:
    decoder = decoders(tmp_path)[name]
    outcomes = fuzz(decoder, f"{SEED} {name}", decoder.cases_in_ci)
    assert outcomes.total() == decoder.cases_in_ci
    assert outcomes["read"] > 0


@pytest.mark.campaign
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", NAMES)
def test_campaign_on_a_decoder(name: str, tmp_path: Path, record_property) -> None:
    every = decoders(tmp_path)
    cases = cases_for(name, every, CASES)
    begun = time.process_time()
    outcomes = fuzz(every[name], f"{SEED} {name}", cases)
    record_property(name, f"{cases} cases, {time.process_time() - begun:.0f} s: {dict(outcomes)}")
