"""School accounts: opened by the head of the office over the school only, each name once."""

import asyncio
from pathlib import Path

import pytest

from casework import officers, school_accounts
from casework.context import Context
from casework.officers import Officer
from casework.school_accounts import NewLogin
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.officers import OfficerRecord
from tests.casework.inside import OFFICE, OTHER, house
from tests.casework.schools import FAR, NEAR, SCHOOL, clerk


async def head(ctx: Context, office: str = OFFICE) -> Officer:
    """The head of an office."""
    await clerk(ctx)
    found = await ctx.office(office)
    assert found is not None
    return Officer(f"head-{office}", "所长", "head", found)


async def added(ctx: Context, username: str, school: str = SCHOOL) -> NewLogin:
    """A clerk's new login."""
    who = await head(ctx)
    return await school_accounts.add_clerk(
        ctx, who, school=school, username=username, name="刘教务"
    )


@pytest.mark.gen_test(timeout=60)
async def test_only_the_head_of_the_office_over_the_school(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        mine, other = await head(ctx), await head(ctx, OTHER)
        login = await added(ctx, " Liu.One ")
        assert login.username == "liu.one" and login.school == f"{SCHOOL}驾校"
        listed = await school_accounts.schools(ctx, mine)
        assert [s.office.code for s in listed] == [SCHOOL, NEAR]
        assert [c.username for c in listed[0].clerks] == ["liu.one"]
        assert [s.office.code for s in await school_accounts.schools(ctx, other)] == [FAR]
        for verb in (
            school_accounts.add_clerk(ctx, other, school=SCHOOL, username="abc", name="某"),
            school_accounts.add_clerk(ctx, mine, school=OFFICE, username="abc", name="某"),
            school_accounts.reset_clerk(ctx, other, "liu.one"),
            school_accounts.disable_clerk(ctx, other, "liu.one"),
            school_accounts.disable_clerk(ctx, mine, "nobody"),
        ):
            with pytest.raises(Refusal) as refused:
                await verb
            assert refused.value == Refusal("not-found")
        reviewer = Officer("li", "李警官", "reviewer", mine.office)
        for verb in (
            school_accounts.schools(ctx, reviewer),
            school_accounts.schools(ctx, await clerk(ctx)),
            school_accounts.reset_clerk(ctx, reviewer, "liu.one"),
        ):
            with pytest.raises(Refusal) as refused:
                await verb
            assert refused.value == Refusal("role-not-allowed")


@pytest.mark.gen_test(timeout=60)
async def test_nobody_is_given_an_officers_login_and_bad_names_are_told(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        mine = await head(ctx)
        await officers.add_officer(
            ctx,
            username="zhao",
            name="赵警官",
            role="reviewer",
            office=OFFICE,
            password="correct horse",
            totp=False,
        )
        with pytest.raises(Refusal) as refused:
            await added(ctx, "zhao")
        assert refused.value == Refusal("username-taken")
        for verb in (school_accounts.reset_clerk, school_accounts.disable_clerk):
            with pytest.raises(Refusal) as refused:
                await verb(ctx, mine, "zhao")
            assert refused.value == Refusal("not-found")
        kept = await ctx.stores.officers.get("zhao")
        assert kept is not None and (kept.role, kept.disabled) == ("reviewer", False)
        for name in ("ab", "-abc", "刘教务", "a b c", "x" * 33):
            with pytest.raises(Refusal) as refused:
                await added(ctx, name)
            assert refused.value == Refusal("username-invalid")
        with pytest.raises(Refusal) as refused:
            await school_accounts.add_clerk(ctx, mine, school=SCHOOL, username="abc", name=" ")
        assert refused.value == Refusal("clerk-name-missing")


@pytest.mark.gen_test(timeout=60)
async def test_a_new_login_replaces_the_old_and_a_disabled_one_is_out(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        mine, first = await head(ctx), await added(ctx, "liu")
        before = await ctx.stores.officers.get("liu")
        await school_accounts.disable_clerk(ctx, mine, "liu")
        shut = await ctx.stores.officers.get("liu")
        second = await school_accounts.reset_clerk(ctx, mine, "liu")
        after = await ctx.stores.officers.get("liu")
        assert before is not None and shut is not None and after is not None
        assert (before.disabled, shut.disabled, after.disabled) == (False, True, False)
        assert first.password != second.password and first.secret != second.secret
        assert before.password_hash != after.password_hash
        assert after.totp_secret == second.secret and after.name == "刘教务"
        seen = ctx.stores.database["access_log"].find({})
        actions = [d["action"] async for d in seen]
        assert actions == ["clerk-added", "clerk-disabled", "clerk-reset"]


async def carelessly(ctx: Context, record: OfficerRecord) -> bool:
    """Look, then write: as it must not be."""
    if await ctx.stores.officers.get(record.username) is not None:
        return False
    await ctx.stores.officers.put(record)
    return True


@pytest.mark.gen_test(timeout=60)
async def test_of_many_who_want_a_name_at_once_one_gets_it(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        await head(ctx)
        tries = [added(ctx, "liu", school) for school in (SCHOOL, NEAR) * 4]
        found = await asyncio.gather(*tries, return_exceptions=True)
        won = [one for one in found if isinstance(one, NewLogin)]
        assert len(won) == 1
        assert [one for one in found if one not in won] == [Refusal("username-taken")] * 7
        kept = await ctx.stores.officers.get("liu")
        assert kept is not None and kept.totp_secret == won[0].secret

        # The race is real: who looks first and writes then believes to have won, several times.
        records = [
            OfficerRecord("wang", "hash", None, SCHOOL, "clerk", f"第{n}人") for n in range(8)
        ]
        took = await asyncio.gather(*(carelessly(ctx, record) for record in records))
        assert sum(took) > 1
