"""A new index key while everything is stopped: killed anywhere, finished, and everybody found."""

import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

from casework.context import Context
from storage.engines import EngineUrls
from storage.reindex_map import LEFT, MAP, MAPPED
from tests.keys.houses import Lived, lived, sealed_under
from tests.support.processes import House
from tests.support.story import look, say

KILLED = -9
POINTS = (
    *("learned", "copied", "moved", "moved:3", "copied:2"),
    *("chain-prepared", "anchors-moved", "chain-moved", "before-new-key", "key-fits"),
)


def reindex(house: House, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """``bianmin keys reindex``."""
    return house.command("keys", "reindex", *options, **env)


def stop(house: House) -> None:
    """Everything that works with the data."""
    for running in house.started:
        if running.name in ("service", "worker") and running.process.poll() is None:
            running.stop()


def stored(house: House) -> dict[str, list[dict[str, Any]]]:
    """Every document by its collection."""

    async def read(ctx: Context) -> dict[str, list[dict[str, Any]]]:
        database = ctx.stores.database
        names = await database.list_collection_names()
        return {name: await database[name].find({}).to_list() for name in names}

    return look(house, read)


def keys_in(held: Any, keys: set[str]) -> bool:
    """Whether one of these indexes lies anywhere in it."""
    text = repr(held)
    return any(key in text for key in keys)


def person_keys(documents: dict[str, list[dict[str, Any]]]) -> set[str]:
    """Every index somebody is filed under."""
    names = ("sessions", "registry_population", "registry_licences", "registry_vehicles")
    return {d["_id"] for name in (*names, "wechat_bindings") for d in documents[name]}


def test_killed_anywhere_and_finished(engine_urls: EngineUrls, tmp_path: Path) -> None:
    with lived(engine_urls, tmp_path, f"test_keys_{secrets.token_hex(6)}") as here:
        house = here.house
        look(house, lambda ctx: ctx.stores.access_log.anchor(ctx.now()))
        seen = here.seen()
        new = {"BIANMIN_NEW_INDEX_KEY": secrets.token_urlsafe(32)[:43] + "="}

        refused = reindex(house, **new)
        assert refused.returncode == 1 and "stop them first: service" in refused.stderr
        assert "worker (process" in refused.stderr and "Traceback" not in refused.stderr
        assert here.seen() == seen
        stop(house)
        before = stored(house)

        for point in POINTS:
            died = reindex(house, **new, BIANMIN_CRASH_AT=point)
            assert died.returncode == KILLED, (point, died.stdout, died.stderr)
        # Half way nobody may start, whichever key he has.
        assert house.command("officer", "list").returncode == 1
        fits = {"BIANMIN_INDEX_KEY": new["BIANMIN_NEW_INDEX_KEY"]}
        early = house.command("officer", "list", **fits)
        assert early.returncode == 1 and "正在更换索引密钥" in early.stderr, early.stderr
        another = reindex(house, BIANMIN_NEW_INDEX_KEY=secrets.token_urlsafe(32)[:43] + "=")
        assert another.returncode == 1 and "broken off" in another.stderr
        done = reindex(house, **new)
        assert done.returncode == 0, done.stderr
        assert "Going on with what was broken off" in done.stderr

        wrong = house.command("officer", "list")
        assert wrong.returncode == 1 and "索引密钥与数据不符" in wrong.stderr
        assert "Traceback" not in wrong.stderr
        house.extra = {**house.extra, **fits}
        check_moved(before, stored(house))
        check_log(house, before)
        house.start_service()
        house.start_worker()
        check_lives_on(here, seen)
        assert "under the new index key already" in reindex(house, **new).stderr


def check_moved(
    before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]
) -> None:
    """Nobody is lost or doubled, no old index is left, matters keep their numbers."""
    assert MAP not in after and after["upkeep"] == []
    old = person_keys(before)
    for name, documents in after.items():
        if name not in ("keys", "processes", "access_log", "access_runs", "access_anchors"):
            assert not keys_in(documents, old), name
        if name not in ("upkeep", "visitors", "processes"):
            assert len(documents) == len(before[name]), name
    assert not old & person_keys(after) and len(person_keys(after)) == len(old)
    numbers = [sorted(d["_id"] for d in kept["matters"]) for kept in (before, after)]
    assert numbers[0] == numbers[1]


def check_log(house: House, before: dict[str, list[dict[str, Any]]]) -> None:
    """The log is whole under the new key, speaks of the new indexes, and its anchors remember."""
    report = look(house, lambda ctx: ctx.stores.access_log.verify())
    assert report.faults == () and report.entries >= len(before["access_log"])
    after = stored(house)
    filed = person_keys(after)
    subjects = {e["subject"] for e in after["access_log"] if e["subject"]}
    assert subjects and subjects <= filed
    former = {h for a in after["access_anchors"] for h in a.get("former", ())}
    assert former == {a["hash"] for a in before["access_anchors"]} and former


def check_lives_on(here: Lived, seen: list[Any]) -> None:
    """The old login is over; by WeChat the same person is found, with all that is his."""
    assert here.citizen.call("GET", "/me").status == 401
    login = here.citizen.call("POST", "/login", {"code": here.citizen.wx_login()})
    assert login.status == 200, login.body
    here.citizen.token = str(login.json()["token"])
    assert here.seen() == seen
    assert "需要先注册" not in say(here.chatting, "进度")
    sealed_under(here.house)


def test_every_kind_of_index_is_known_here() -> None:
    """A new kind of blind index has to be mapped, or to be said to stay."""
    root = Path(__file__).parents[2]
    found = set()
    for folder in ("storage", "casework", "bot", "handlers", "miniprogram_api", "bianmin"):
        for path in (root / folder).rglob("*.py"):
            found |= kinds_in(path.read_text())
    assert found >= {"id-number", "phone", "plate", "message", "matter-number", "memory"}
    assert found - MAPPED - LEFT == set()
    assert kinds_in('self._vault.index(f"brand-new/{kind}", x)') == {"brand-new"}


def kinds_in(source: str) -> set[str]:
    """Kinds that a source file makes blind indexes of."""
    calls = re.findall(r"""\.(?:index|digest)\(\s*f?["']([a-z-]+)""", source)
    return set(calls)
