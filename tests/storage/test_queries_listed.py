"""The table of queries is whole: what the stores really send is listed there, shape by shape."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from rules.exams.plan import Plan, Subject
from rules.mandate_flow import mandate_notices
from rules.mandates import begin, evolve
from rules.matter import Event, State
from rules.people import Actor
from rules.places import Places, released
from storage.access_log import AccessLog
from storage.claims import Claims
from storage.closing import Closings
from storage.consents import Consents
from storage.conversations import Conversations, Place
from storage.engines import EngineUrls
from storage.exam_sites import ExamSites
from storage.exams import ExamPlans
from storage.indexes import QUERIES
from storage.keyring import Keyring
from storage.logins import Logins
from storage.mandates import Mandates
from storage.matter_documents import Owed
from storage.matters import Matters
from storage.officers import Officers
from storage.photos import Photos
from storage.pieces import PIECE_BYTES
from storage.places import PlaceStore
from storage.presence import Presence
from storage.registry import Hold, Registry
from storage.retention import Aged, Retention
from storage.rotation import Rotation
from storage.school_batches import Progress, RowProblems, SchoolBatches
from storage.sealed_places import SEALED
from storage.session_documents import NewSession
from storage.sessions import Sessions
from storage.stores import Stores, real_time
from storage.vault import Vault
from storage.wechat_accounts import WechatAccount, WechatAccounts
from storage.wechat_bindings import Binding, WechatBindings
from tests.storage.opening import ID_NUMBER, INDEX, MASTER, NAME, NOW, PHONE, opened
from tests.storage.test_exam_sites import SITE
from tests.storage.test_logins import _device
from tests.storage.test_matters import _draft, _filled, _notice
from tests.storage.test_photos import _stream
from tests.storage.test_registry import LICENCE, VEHICLE, _office
from tests.storage.test_school_batches import _batch

Shape = tuple[str, tuple[str, ...], tuple[str, ...]]
READ_WHOLE: set[Shape] = {
    (name, (), ()) for name in ("officers", "registry_offices", "access_runs", "keys", "processes")
} | {(name, (), ()) for name in (*SEALED, "photos.files")}
"""Small collections; and what the upkeep of keys passes over from one end to the other."""


class _Shapes(CommandListener):
    """Collects collection, filter fields and sort fields of everything sent."""

    def __init__(self) -> None:
        self.seen: set[Shape] = set()

    def started(self, event: CommandStartedEvent) -> None:
        command: dict[str, Any] = dict(event.command)
        name = str(command.get(event.command_name))
        if event.command_name in ("find", "findAndModify", "count", "distinct"):
            filters = [command.get("filter", command.get("query", {}))]
        elif event.command_name in ("update", "delete"):
            filters = [s["q"] for s in command[f"{event.command_name}s"]]
        elif event.command_name == "aggregate":
            filters = [command["pipeline"][0].get("$match", {})]
        else:
            return
        for given in filters:
            self.seen.add((name, tuple(sorted(given)), tuple(command.get("sort", {}))))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to learn."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to learn."""


async def _use_everything(database: Any, vault: Vault) -> None:
    later = NOW + timedelta(hours=1)
    sessions, key = Sessions(database["sessions"], vault), vault.id_key(ID_NUMBER)
    await sessions.create(NewSession(key, ID_NUMBER, NAME, PHONE, NOW, "c"))
    await sessions.get(key)
    for number in ("1", "2"):
        await sessions.claim_open(key, "s", number)
    await sessions.release_open(key, "s", "1")
    await _use_logins(Logins(database["sessions"], vault), key, later)
    await _use_wechat(WechatAccounts(database["sessions"], vault), key)
    consents = Consents(database["sessions"])
    await consents.add_consent(key, "t", "c2")
    await consents.use_consent(key, "t")
    await consents.return_consent(key, "t")
    await consents.agree(key, "1", NOW, "mini")
    bindings = WechatBindings(database["wechat_bindings"])
    for one in (key, "another"):
        await bindings.bind(Binding("o", "mini", one, "c", NOW, NOW))
    for held in await bindings.due(later, 9):
        await bindings.later("o", held.claim, NOW, later)
    await bindings.settled("o", "c")
    await bindings.unbind("o", "another", NOW)
    closings = Closings(database["sessions"], vault)
    seen = await closings.look(key)
    assert seen is not None
    await closings.close(key, seen, NOW, later)
    await closings.telling(later, 9)
    await closings.kept(later, 9)
    farewell = await closings.farewell(key)
    assert farewell is not None
    await closings.begin_telling(key, farewell, NOW)
    await closings.tell_later(key, later)
    await closings.look_again(key, later)
    await closings.done(key)
    await sessions.person(key)
    await closings.forget_person(key)
    await sessions.create(NewSession(key, ID_NUMBER, NAME, PHONE, NOW, "c3"))
    talks = Conversations(database, vault, sessions)
    for place in (Place("visitors", "v"), Place("sessions", key)):
        turn = (await talks.load(place)).turn
        await talks.commit(place, turn, message_id="m", reply="r", dialogue=None, expires_at=later)
    await talks.drop("v")
    await talks.postpone(place, "m", {}, NOW)
    for late in await talks.late_due(NOW, 9):
        await talks.take_late("m", late.due, later)
    await talks.late_done(place, "m")
    await _use_matters(Matters(database["matters"], vault))
    for claims in ("enrolments", "live_bookings"):
        await _use_claims(Claims(database[claims]))
    await _use_plans(ExamPlans(database["exam_plans"]), PlaceStore(database["exam_plans"]))
    for _ in range(2):
        await ExamSites(database["registry_sites"]).upsert([SITE])
    await ExamSites(database["registry_sites"]).get("4101K01")
    await ExamSites(database["registry_sites"]).of_office("4101V01")
    await _use_mandates(Mandates(database["mandates"], vault))
    registry = Registry(database, vault)
    for _ in range(2):
        await registry.upsert_population([{"id_number": ID_NUMBER, "name": NAME}])
        await registry.upsert_licences([LICENCE])
        await registry.upsert_vehicles([VEHICLE])
        await registry.upsert_offices([_office("1", "4101", "k")])
    await registry.population_name(key)
    await registry.licence(key)
    await registry.phone_on_file(key)
    await registry.vehicles_of(key)
    await registry.office("1")
    for region, kind in ((None, None), ("4101", None), (None, "k"), ("4101", "k")):
        await registry.offices(region, kind)
    await registry.hold_licence(key, "e", Hold("1", "pending", None))
    await registry.release_hold(key, "e2", "1")
    officers = Officers(database["officers"], vault)
    await officers.get("li")
    await officers.of_office("1")
    await officers.disable("li")
    await officers.all()
    log = AccessLog(database, vault)
    for at in (NOW, later):
        await log.append(
            officer="li",
            office="1",
            action="a",
            subject_key=None,
            matter=None,
            fields=[],
            at=at,
        )
        await log.anchor(at)
    await log.verify()
    await log.of_subject(key, 9)
    old = Retention(database)
    for state in State:
        await old.matters(state, later, 9)
    await old.thrown_away(later, 9)
    await old.delete_matter("none")
    for look in (old.talks, old.logins, old.visitors, old.late_messages, old.mandates):
        await look(later, 9)
    await old.forget_talk(key, NOW)
    await old.forget_logins(key, NOW)
    await old.forget_visitor(Aged("v", NOW))
    await old.forget_late_message(Aged("m", NOW))
    await old.delete_mandate(Aged("m", NOW))
    for run in await log.old_runs(later + timedelta(days=9)) or ["none"]:
        await log.delete_run(run)
    photos = Photos(database, vault)
    photo = await photos.save(_stream(b"x" * 300_000), matter="1", at=NOW)
    assert len([p async for p in await photos.open(photo)]) == 2
    await photos.unconfirmed(later, 9)
    await photos.of_matter("1")
    await photos.confirm(photo)
    await photos.delete(photo)
    await _use_batches(SchoolBatches(database["school_batches"], vault))
    files = Photos(database, vault, "school")
    kept = await files.save(_stream(b"x" * 300_000), matter="1", at=NOW)
    assert [p async for p in await files.open(kept)]
    assert len(await files.piece(await files.whole(kept), 1)) == 300_000 - PIECE_BYTES
    await files.unconfirmed(later, 9)
    await files.delete(kept)


async def _use_batches(batches: SchoolBatches) -> None:
    await batches.insert(_batch("b", NOW))
    (batch,) = await batches.with_due(NOW, 9)
    assert await batches.take(batch, "l", NOW)
    problems = [RowProblems(0, (("name", "x"),))]
    assert await batches.commit("b", "l", Progress(1, 0, 0, problems, "done", None))
    assert await batches.problems("b") == problems
    await batches.get("b")
    await batches.of_school("s", 9)
    await batches.with_end(NOW, 9)
    await batches.drop_portraits("b")
    await batches.delete("b")


async def _use_logins(logins: Logins, key: str, later: datetime) -> None:
    device = _device(logins, key, "d", later)
    await logins.add(key, device)
    await logins.renew(key, device, "s2", before_until=later, expires_at=later)
    await logins.seen(key, "d", later.date())
    await logins.reused(key, device, later.date())
    await logins.drop(key, "d")
    await logins.drop_others(key, None)


async def _use_plans(plans: ExamPlans, places: PlaceStore) -> None:
    closes = NOW + timedelta(days=1)
    plan = Plan(
        **{"code": "p", "office": "o", "region": "4101", "site": "s", "site_name": "s"},
        **{"subject": Subject.FIELD, "vehicle_class": "C1", "day": NOW.date()},
        **{"starts": "08:30", "ends": "11:30", "capacity": 1, "closes_at": closes},
        published_at=NOW,
    )
    assert await plans.publish(plan, Places(1, closes), {})
    await plans.get("p")
    await plans.history("p")
    office, site, region = {"office": "o"}, {"site": "s"}, {"region": "4101"}
    for where in (office, site, region, {**office, "subject": "2", "vehicle_class": "C1"}):
        assert await plans.between(where, NOW.date(), NOW.date(), limit=9)
    for where in (office, site):
        assert await plans.sums(where, NOW.date(), NOW.date())
    assert await places.take("p", "1", NOW)
    await places.change("p", lambda p: released(p, "1", NOW, timedelta(hours=1)), NOW)
    await places.due(closes, 9)
    await plans.note_result("p", "1", "passed", 4)


async def _use_claims(enrolments: Claims) -> None:
    claim = await enrolments.claim("k", "1", NOW)
    assert await enrolments.claim("k", "2", NOW) == claim
    assert await enrolments.take_up(claim, NOW + timedelta(seconds=1))
    assert not await enrolments.give_up(claim)
    for left in await enrolments.unconfirmed(NOW + timedelta(hours=1), 9):
        assert await enrolments.give_up(left)
    await enrolments.claim("k", "2", NOW)
    await enrolments.confirm("k", "2")
    assert not await enrolments.release("k", "1") and await enrolments.release("k", "2")


async def _use_wechat(accounts: WechatAccounts, key: str) -> None:
    account = WechatAccount("k", "c", "o", NOW)
    await accounts.put(key, "mini", account)
    await accounts.put_if_none(key, "mini", account)
    await accounts.settled(key, "mini", "c")
    await accounts.remove(key, "mini", "c")


async def _use_matters(matters: Matters) -> None:
    await matters.of_school("s", State.SUBMITTED, 9)
    await matters.count_of_school("s", State.SUBMITTED, 9)
    draft = _draft("1")
    await matters.insert(draft, Owed(notices=[_notice("a", NOW)]))
    await matters.append(draft, _filled(draft, "f", {"a": "b"}), Owed())
    stored = await matters.get("1")
    assert stored is not None
    await matters.save_notice(stored, _notice("a", NOW))
    for version in (1, 2):
        await matters.effects_done("1", ["e"], version)
    await matters.of_applicant("k", 9)
    await matters.of_principal("k", 9)
    await matters.worklist("1", State.SUBMITTED, 9)
    await matters.untold("1", NOW.date(), 9)
    await matters.count("1", State.SUBMITTED, 9)
    for look in (
        matters.with_notice_due,
        matters.with_effect_due,
        matters.with_remind_due,
        matters.with_export_due,
    ):
        await look(NOW, 9)


async def _use_keys(database: Any, stores: Stores) -> None:
    keyring = Keyring(database["keys"], MASTER, INDEX)
    presence = Presence(database, keyring, stores.vault, real_time)
    photos = Photos(database, stores.vault)
    await photos.save(_stream(b"x"), matter="1", at=NOW)
    here = replace(stores, database=database, keyring=keyring, presence=presence, photos=photos)
    rotation = Rotation(
        here, real_time, tell=lambda line: None, progress=lambda *bar: None,
        checkpoint=lambda name: None, readers=timedelta(0), lease=timedelta(0),
    )  # fmt: skip
    async with presence.kept("keys"):
        await rotation.rotate()
        await rotation.rewrap(b"n" * 32)
        assert await rotation.retire() == [1]


async def _use_mandates(mandates: Mandates) -> None:
    given = begin("m", _given("m"))
    notices = mandate_notices(given.timeline[0])
    await mandates.insert(given, notices)
    accepted = evolve(given, replace(given.timeline[0], id="m-0002", type="accepted", data={}))
    await mandates.append(given, accepted, ())
    stored = await mandates.get("m")
    assert stored is not None
    await mandates.save_notice(stored, notices[0])
    await mandates.of_principal("p", 9)
    await mandates.of_agent("a", 9)
    await mandates.with_notice_due(NOW, 9)


def _given(mandate_id: str) -> Event:
    return Event(
        f"{mandate_id}-0001",
        "given",
        NOW,
        Actor("citizen", "p"),
        "c",
        {
            **{"principal": "p", "agent": "a", "agent_name": NAME, "relation": "child"},
            **{"businesses": ["licence"], "services": [], "until": "2026-04-01"},
            "answer_by": NOW.isoformat(),
        },
    )


@pytest.mark.gen_test(timeout=60)
async def test_every_query_sent_is_listed(engine_urls: EngineUrls, mongo_database: str) -> None:
    shapes = _Shapes()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        engine_urls.mongo_url, tz_aware=True, event_listeners=[shapes]
    )
    async with client, opened(engine_urls, mongo_database) as stores:
        await _use_everything(client[mongo_database], stores.vault)
        await _use_keys(client[mongo_database], stores)
    listed = {(q.collection, tuple(sorted(q.filter)), tuple(q.sort)) for q in QUERIES}
    assert shapes.seen - listed - READ_WHOLE == set()
    assert listed - shapes.seen == set(), "listed, but sent by nobody"
