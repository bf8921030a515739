"""A student's account: his first login, what he may do, and what he gains beside it."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework import accounts, codes, matters, steps
from casework.askers import prover_at
from casework.context import Context
from casework.enrolments import ask_student_code, leave
from casework.sweep import sweep
from rules.matter import State
from rules.people import Tier
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import NAMES, OFFICE, Clock, citizen, house, silent
from tests.casework.schools import clerk, enrolled
from tests.casework.test_enrolments import account, approved
from tests.desk.town import id_number

CODE = "135790"


async def put_code(ctx: Context, purpose: str, order: int) -> None:
    """The code as it would be read from his phone."""
    key = ctx.stores.vault.id_key(id_number(order))
    asker = prover_at(ctx, "10.0.0.1")
    place = codes.slot(ctx, purpose, key, f"137000{order:05d}", asker)
    await ctx.stores.memory.put_code(place, CODE, 60)


async def logged_in(ctx: Context, order: int) -> frozenset[Tier]:
    await put_code(ctx, "login", order)
    done = await accounts.login(
        ctx,
        id_number=id_number(order),
        sms_code=CODE,
        wechat=None,
        asker=prover_at(ctx, "10.0.0.1"),
        device="手机",
    )
    return done.citizen.tiers


async def registered(ctx: Context, order: int) -> None:
    await put_code(ctx, "register", order)
    await accounts.register(
        ctx,
        id_number=id_number(order),
        name="陈学员",
        phone=f"137000{order:05d}",
        sms_code=CODE,
        region=None,
        wechat=None,
        asker=prover_at(ctx, "10.0.0.1"),
        cause=f"register-{order}",
        privacy_version=None,
    )


@pytest.mark.gen_test(timeout=120)
async def test_the_first_login_activates_and_the_second_does_not(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number = await approved(ctx, 1)
        for _ in range(2):
            assert await logged_in(ctx, 1) == {Tier.STUDENT}
        events = [e.type for e in (await steps.load(ctx, number)).matter.timeline]
        assert events == ["enrolled", "approved", "activated"]
        session = await account(ctx, 1)
        assert session is not None
        (mine,) = await matters.mine(ctx, session.citizen(ctx.today()))
        assert mine.number == number


@pytest.mark.gen_test(timeout=120)
async def test_a_student_may_register_directly_as_well_if_the_registry_knows_him(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        for order in (1, 2):
            await approved(ctx, order)
        row = {"id_number": id_number(1), "name": "陈学员"}
        await ctx.stores.registry.upsert_population([row])
        for order, tiers in ((1, {Tier.STUDENT, Tier.DIRECT}), (2, {Tier.STUDENT})):
            await registered(ctx, order)
            session = await account(ctx, order)
            assert session is not None and session.tiers == tiers


@pytest.mark.gen_test(timeout=120)
async def test_nobody_enrols_himself_and_he_hears_who_does(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        with pytest.raises(Refusal) as refused:
            await matters.open_draft(ctx, who, "register-student", "myself", "mini")
        assert refused.value.code == "not-by-yourself"
        worded = ctx.book.texts.refusal(refused.value)
        assert "由驾校报送" in worded.next and NAMES[OFFICE] in worded.next


@pytest.mark.gen_test(timeout=120)
async def test_three_years_on_he_is_none_any_more_and_may_be_enrolled_anew(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number, left = await approved(ctx, 1), await approved(ctx, 2)
        await ask_student_code(ctx, await clerk(ctx), left, "leave")
        (job,) = await ctx.stores.memory.outbox.take(1, 1.0)
        await leave(ctx, await clerk(ctx), left, job.code, "leave")
        session = await account(ctx, 1)
        assert session is not None and session.student is not None
        assert isinstance(ctx.clock, Clock)
        ctx.clock.ahead += timedelta(days=(session.student.until - ctx.today()).days)
        await sweep(ctx, silent)
        assert (await steps.load(ctx, number)).matter.state is State.APPROVED
        ctx.clock.ahead += timedelta(days=1)
        assert session.tiers_on(ctx.today()) == frozenset()
        await sweep(ctx, silent)
        stored = await steps.load(ctx, number)
        assert stored.matter.timeline[-1].type == "lapsed"
        assert (await steps.load(ctx, left)).matter.timeline[-1].type == "left"
        assert await ctx.stores.matters.with_remind_due(ctx.now(), 9) == []
        session = await account(ctx, 1)
        assert session is not None and session.tiers == frozenset()
        assert (await enrolled(ctx, 1, cause="anew")).fresh


@pytest.mark.gen_test(timeout=120)
async def test_who_knows_name_and_number_does_not_open_the_account_before_the_student(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        number, entered = id_number(1), "13700000001"
        await ctx.stores.registry.upsert_population([{"id_number": number, "name": "陈学员"}])
        await enrolled(ctx, 1)
        key, asker = ctx.stores.vault.id_key(number), prover_at(ctx, "10.0.0.1")
        came = []
        for phone in ("13800000099", entered):
            place = codes.slot(ctx, "register", key, phone, asker)
            await ctx.stores.memory.put_code(place, "123456", 60)
            try:
                await accounts.register(
                    ctx,
                    id_number=number,
                    name="陈学员",
                    phone=phone,
                    sms_code="123456",
                    region=None,
                    wechat=None,
                    asker=asker,
                    cause=phone,
                )
            except Refusal as refusal:
                came.append(refusal.code)
            else:
                came.append("in")
        assert came == ["identity-mismatch", "in"]


@pytest.mark.gen_test(timeout=120)
async def test_whose_account_has_another_phone_is_not_entered_over_it(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """An account opened in his name by somebody else would come to face-signed rights."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        person = {"id_number": id_number(1), "name": "陈学员"}
        await ctx.stores.registry.upsert_population([person])
        await registered(ctx, 1)
        with pytest.raises(Refusal) as refused:
            await enrolled(ctx, 1, phone="13800000099")
        assert refused.value.code == "student-phone-differs"
        assert (await enrolled(ctx, 1, cause="again")).fresh
