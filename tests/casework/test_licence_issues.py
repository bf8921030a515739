"""Licences just issued: the student becomes a holder by himself; a file read again is quiet."""

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from casework import exchange, steps
from casework.context import Context
from casework.delivery import deliver_due
from casework.import_report import ImportReport
from casework.sweep import sweep
from rules.matter import State
from rules.notices import NoticeState
from rules.people import Tier
from storage.engines import EngineUrls
from tests.casework.inside import OFFICE, OTHER, house, silent
from tests.casework.schools import enrolled
from tests.casework.test_enrolments import account, approved
from tests.desk.town import id_number


def issue(ctx: Context, order: int, **changes: Any) -> dict[str, Any]:
    today = ctx.today()
    return {
        "id_number": id_number(order),
        "name": "陈学员",
        "phone": "",
        "number": id_number(order),
        "vehicle_class": "C1",
        "issued_on": today,
        "valid_from": today,
        "valid_until": today + timedelta(days=2191),
        "issuing_office": OFFICE,
        **changes,
    }


async def imported(ctx: Context, folder: Path, rows: list[dict[str, Any]]) -> ImportReport:
    path = folder / "issues.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return await exchange.import_file(ctx, "licence-issues", path, lambda rows: None)


@pytest.mark.gen_test(timeout=120)
async def test_a_student_becomes_a_licence_holder_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await approved(ctx, 1)
        rows = [issue(ctx, 1), issue(ctx, 2)]
        report = await imported(ctx, tmp_path, rows)
        assert (report.rows, report.accepted, report.errors) == (2, 2, [])
        session = await account(ctx, 1)
        assert session is not None and session.student is None
        assert session.tiers == {Tier.FACE_SIGNED}
        assert session.licence_number == id_number(1)
        stored = await steps.load(ctx, number)
        assert stored.matter.state is State.FINISHED
        assert [n.template for n in stored.notices.values()][-1] == "licence_issued"
        assert await account(ctx, 2) is None  # no student: the registry alone
        licence = await ctx.stores.registry.licence(ctx.stores.vault.id_key(id_number(2)))
        assert licence is not None and licence.status == "正常"
        # Read again it changes nothing, not even what the registry learnt since.
        later = {**rows[0], "status": "暂扣", "points": 6}
        await ctx.stores.registry.upsert_licences([later])
        again = await imported(ctx, tmp_path, rows)
        assert (again.accepted, again.errors) == (2, [])
        after = await steps.load(ctx, number)
        assert (after.matter.version, len(after.notices)) == (
            stored.matter.version,
            len(stored.notices),
        )
        licence = await ctx.stores.registry.licence(ctx.stores.vault.id_key(id_number(1)))
        assert licence is not None and (licence.status, licence.points) == ("暂扣", 6)


@pytest.mark.gen_test(timeout=120)
async def test_another_class_is_named_and_leaves_him_a_student(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await approved(ctx, 1)
        report = await imported(ctx, tmp_path, [issue(ctx, 1, vehicle_class="C2")])
        ((line, column, _),) = report.errors
        assert (report.accepted, line, column) == (0, 2, "vehicle_class")
        session = await account(ctx, 1)
        assert session is not None and session.tiers == {Tier.STUDENT}
        right = await imported(ctx, tmp_path, [issue(ctx, 1, issuing_office=OTHER)])
        assert right.accepted == 1
        assert (await steps.load(ctx, number)).matter.state is State.FINISHED


@pytest.mark.gen_test(timeout=120)
async def test_a_former_licence_sent_again_makes_no_student_a_holder(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await approved(ctx, 1)
        day = ctx.today() - timedelta(days=1)
        report = await imported(ctx, tmp_path, [issue(ctx, 1, issued_on=day)])
        ((line, column, _),) = report.errors
        assert (report.accepted, line, column) == (0, 2, "issued_on")
        session = await account(ctx, 1)
        assert session is not None and session.tiers == {Tier.STUDENT}
        assert (await steps.load(ctx, number)).matter.state is State.APPROVED


@pytest.mark.gen_test(timeout=120)
async def test_who_has_no_account_yet_is_reached_by_the_phone_entered(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = (await enrolled(ctx, 1)).number
        assert await account(ctx, 1) is None
        assert await deliver_due(ctx) == 1
        (notice,) = (await steps.load(ctx, number)).notices.values()
        # The gateway of this house leads nowhere: what counts is that it was tried by SMS.
        assert notice.channel == "sms" and notice.state is not NoticeState.DEAD


@pytest.mark.gen_test(timeout=120)
async def test_the_sweep_gives_back_claims_without_a_live_matter(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        claims, vault = ctx.stores.enrolments, ctx.stores.vault
        live = (await enrolled(ctx, 1)).number
        keys = [vault.id_key(id_number(n)) for n in (1, 2)]
        # One whose confirmation was lost, one whose matter was never begun.
        change = {"$set": {"unconfirmed": ctx.now()}}
        await ctx.stores.database["enrolments"].update_one({"_id": keys[0]}, change)
        await claims.claim(keys[1], "000000000000", ctx.now())
        await sweep(ctx, silent)
        assert await claims.get(keys[1]) is not None
        ctx.clock.ahead += timedelta(hours=25)  # type: ignore[attr-defined]  # the test's clock
        await sweep(ctx, silent)
        assert await claims.get(keys[1]) is None
        claim = await claims.get(keys[0])
        assert claim is not None and (claim.matter, claim.unconfirmed) == (live, None)


@pytest.mark.gen_test(timeout=120)
async def test_a_claim_left_behind_is_taken_up_by_the_next(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        key = ctx.stores.vault.id_key(id_number(1))
        left = await ctx.stores.enrolments.claim(key, "000000000001", ctx.now())
        ctx.clock.ahead += timedelta(seconds=5)  # type: ignore[attr-defined]  # the test's clock
        done = await enrolled(ctx, 1)
        assert (done.number, done.fresh) == ("000000000001", True)
        assert not await ctx.stores.enrolments.give_up(left)


@pytest.mark.gen_test(timeout=120)
async def test_nothing_of_a_student_lies_in_clear_and_every_look_is_written_down(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await approved(ctx, 1)
        await imported(ctx, tmp_path, [issue(ctx, 1)])
        database = ctx.stores.database
        dump = ""
        for name in await database.list_collection_names():
            dump += "".join([str(d) async for d in database[name].find({})])
        for secret in (id_number(1), "陈学员", "13700000001", "市第一人民医院"):
            assert secret not in dump and secret.encode().hex() not in dump
        looks = [d async for d in database["access_log"].find({}, {"_id": 0})]
        assert "enrol" in {str(d["action"]) for d in looks}
