"""A new data key under a service that answers all the while, broken off by SIGKILL and finished."""

import itertools
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from storage.engines import EngineUrls
from storage.sealed_places import SEALED, unlisted_values
from storage.vault import Vault
from tests.keys.houses import Lived, lived, sealed_under
from tests.support.processes import House
from tests.support.story import follow, ready_draft, say

KILLED = -9
ELSEWHERE = {"school_batches", "mandates"}
"""Collections that this house does not fill; their own tests look for what lies in clear."""
POINTS = ("key-announced", "key-seals", "resealed", "photo-resealed", "pieces-dropped")


@pytest.fixture(scope="module")
def here(engine_urls: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """One house for this file; each rotation adds a data key."""
    folder = tmp_path_factory.mktemp("keys")
    with lived(engine_urls, folder, f"test_keys_{secrets.token_hex(6)}") as place:
        yield place


@contextmanager
def load(here: Lived) -> Iterator[list[str]]:
    """Reads and writes without a pause for the block; what went wrong."""
    wrong: list[str] = []
    stop = threading.Event()
    expected = here.seen()

    def until_stopped(step: Callable[[int], None]) -> Callable[[], None]:
        def work() -> None:
            for count in itertools.count():
                try:
                    step(count)
                except Exception as error:
                    wrong.append(repr(error))
                if stop.is_set() or len(wrong) > 9:
                    return

        return work

    def read(count: int) -> None:
        if here.seen() != expected:
            wrong.append("something reads differently")

    def write(count: int) -> None:
        time.sleep(0.5)  # a draft may be changed three hundred times
        note = f"第{count}次"
        answer = other.call("PATCH", f"/matters/{number}", {"form": {"note": note}})
        assert answer.status == 200, answer.body
        seen = other.call("GET", f"/matters/{number}").json()["form"]["note"]
        assert seen == note, (seen, note)
        assert say(other, "帮助"), "the chat is silent"

    other = here.town.face_signed()
    follow(other)
    number = ready_draft(other)
    threads = [threading.Thread(target=until_stopped(step)) for step in (read, write)]
    for thread in threads:
        thread.start()
    try:
        yield wrong
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def rotate(house: House, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """``bianmin keys rotate``."""
    return house.command("keys", "rotate", "--readers", "3", *options, **env)


def data_keys(house: House) -> list[dict[str, Any]]:
    """The data keys as they lie in the store."""
    client: MongoClient[dict[str, Any]] = MongoClient(house.urls.mongo_url)
    with client:
        return sorted(client[house.database]["keys"].find({}), key=lambda d: int(d["number"]))


@contextmanager
def population(house: House) -> Iterator[Collection[dict[str, Any]]]:
    """The population registry as it lies in the store."""
    client: MongoClient[dict[str, Any]] = MongoClient(house.urls.mongo_url)
    with client:
        yield client[house.database]["registry_population"]


def an_hour_later(house: House) -> None:
    """Instead of waiting until processes nobody can see have surely stopped sealing."""
    client: MongoClient[dict[str, Any]] = MongoClient(house.urls.mongo_url, tz_aware=True)
    with client:
        upkeep = client[house.database]["upkeep"]
        since = (upkeep.find_one({"_id": "rotate"}) or {})["sealing_since"]
        earlier = {"$set": {"sealing_since": since - timedelta(hours=1)}}
        upkeep.update_one({"_id": "rotate"}, earlier)


def test_every_sealed_place_is_in_the_table(here: Lived) -> None:
    under = sealed_under(here.house)  # fails on a place that is not
    assert {*SEALED, "photos.files"} - set(under) <= ELSEWHERE
    sealed = Vault({1: b"1" * 32}, b"i" * 32).seal("x", "y")
    document = {"_id": "a", "person": {"name": sealed}, "elsewhere": [{"name": sealed}]}
    assert unlisted_values("sessions", document) == ["elsewhere.*.name"]


def test_killed_anywhere_and_finished_under_load(here: Lived) -> None:
    with load(here) as wrong:
        for point in POINTS:
            died = rotate(here.house, BIANMIN_CRASH_AT=point)
            assert died.returncode == KILLED, (point, died.stderr)
        done = rotate(here.house)
        assert done.returncode == 0, done.stderr
    assert wrong == []
    assert "Going on with data key 2" in done.stderr
    assert "Nothing is left under older keys" in done.stdout
    # One rotation, however often it was begun; the first passes left less to the later ones.
    assert [d["number"] for d in data_keys(here.house)] == [1, 2]
    under = sealed_under(here.house)
    assert set().union(*under.values()) == {2}, under


def test_an_older_key_is_retired_once_nothing_needs_it(here: Lived) -> None:
    before = here.seen()
    number = data_keys(here.house)[-1]["number"] + 1
    with population(here.house) as rows:
        old = rows.find_one({}) or {}
    died = rotate(here.house, BIANMIN_CRASH_AT="key-seals")
    assert died.returncode == KILLED
    assert "Last rotation: broken off" in here.house.command("doctor").stdout
    refused = rotate(here.house, "--retire")
    assert refused.returncode == 1 and "A rotation was broken off" in refused.stderr
    assert rotate(here.house).returncode == 0
    an_hour_later(here.house)
    with population(here.house) as rows:
        rows.insert_one({"_id": "as restored from a backup", "name": old["name"]})
        refused = rotate(here.house, "--retire")
        assert refused.returncode == 1 and "Traceback" not in refused.stderr
        assert "Still sealed under older data keys: 1 in registry_population" in refused.stderr
        rows.delete_one({"_id": "as restored from a backup"})
    assert len(data_keys(here.house)) == number
    retired = rotate(here.house, "--retire")
    assert retired.returncode == 0, retired.stderr
    assert [d["number"] for d in data_keys(here.house)] == [number]
    assert retired.stdout.startswith("Destroyed: data key 1")
    told = here.house.command("doctor").stdout
    assert f"Data keys: {number}; number {number} seals." in told
    assert "Under older keys: 0 of the" in told and "0 values left behind" in told
    assert here.seen() == before


def test_the_master_key_changes_without_a_break(here: Lived) -> None:
    before = here.seen()
    missing = rotate(here.house, "--master")
    assert missing.returncode == 1 and "BIANMIN_NEW_MASTER_KEY is not set" in missing.stderr
    new = secrets.token_urlsafe(32)[:43] + "="
    wrapped = rotate(here.house, "--master", BIANMIN_NEW_MASTER_KEY=new)
    assert wrapped.returncode == 0, wrapped.stderr
    # Both open it now; the running processes go on, and no data key may be added meanwhile.
    assert here.seen() == before
    assert "master key is being changed" in rotate(here.house).stderr
    early = rotate(here.house, "--retire", BIANMIN_MASTER_KEY=new)
    assert early.returncode == 1 and "run with another master key" in early.stderr
    for running in here.house.started:
        if running.name in ("service", "worker") and running.process.poll() is None:
            running.stop()
    here.house.extra = {**here.house.extra, "BIANMIN_MASTER_KEY": new}
    here.house.start_service()
    here.house.start_worker()
    assert here.seen() == before
    retired = rotate(here.house, "--retire")
    assert retired.returncode == 0, retired.stderr
    assert [set(d) & {"rewrapped"} for d in data_keys(here.house)] == [set()]
    here.house.extra = {k: v for k, v in here.house.extra.items() if k != "BIANMIN_MASTER_KEY"}
    assert "主密钥与数据不符" in rotate(here.house).stderr
    here.house.extra = {**here.house.extra, "BIANMIN_MASTER_KEY": new}
    assert here.seen() == before
