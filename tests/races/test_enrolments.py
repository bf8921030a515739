"""One live enrolment a person, though three schools' processes enter him at the same moment."""

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from pymongo import MongoClient

from storage.engines import EngineUrls
from tests.casework.inside import settings_of
from tests.casework.schools import FAR, NEAR, SCHOOL
from tests.support.engines import ROOT

_SCHOOLS = (SCHOOL, NEAR, FAR)


def raced(
    urls: EngineUrls, database: str, folder: Path, way: str, rounds: int
) -> tuple[list[Counter[str]], int]:
    """Race three processes: what each round's three heard, up to the first round after which a
    person had two enrolments (0 for never)."""
    settings_of(database, folder)  # the secrets all three share
    heard: list[Counter[str]] = []
    client: MongoClient[dict[str, object]] = MongoClient(urls.mongo_url)
    with client, ExitStack() as stack:
        racers = [
            stack.enter_context(
                subprocess.Popen(
                    (
                        *(sys.executable, "-m", "tests.races.enrolling", way),
                        *(urls.mongo_url, urls.redis_url, database, str(folder), school),
                    ),
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for school in _SCHOOLS
        ]
        pipes = [(r.stdin, r.stdout) for r in racers]
        for _, out in pipes:
            assert out is not None and out.readline() == "ready\n"
        matters = client[database]["matters"]
        for number in range(1, rounds + 1):
            before = matters.count_documents({})
            for into, _ in pipes:
                assert into is not None
                into.write(f"{number}\n")
                into.flush()
            answers = Counter[str]()
            for _, out in pipes:
                assert out is not None
                answers[out.readline().strip()] += 1
            heard.append(answers)
            if matters.count_documents({}) - before > 1:
                return heard, number
    return heard, 0


@pytest.mark.parametrize("rounds", [5])
def test_one_school_wins_and_the_others_are_told(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path, rounds: int
) -> None:
    heard, failed = raced(engine_urls, mongo_database, tmp_path, "claim", rounds)
    assert failed == 0
    assert heard == [Counter({"enrolled": 1, "student-elsewhere": 2})] * rounds


def test_look_then_write_enrols_somebody_twice(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """The same race without the claim: this is what the test above would have seen."""
    _, failed = raced(engine_urls, mongo_database, tmp_path, "look", 100)
    assert failed, "100 rounds were not enough to show it"
