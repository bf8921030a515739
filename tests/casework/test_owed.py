"""What is owed: one thing that fails holds up no other, a busy gateway uses up no consent."""

from datetime import timedelta
from pathlib import Path

import pytest

from casework import matters
from casework.context import Context
from casework.delivery import attend
from casework.sweep import sweep
from casework.wechat_bindings import bind
from casework.wechat_identity import WechatIdentity, account_of
from rules.people import Citizen
from storage.engines import EngineUrls
from storage.wechat_bindings import Binding
from tests.casework.inside import citizen, draft, house, silent, submitted


@pytest.mark.gen_test(timeout=120)
async def test_a_busy_gateway_uses_up_no_consent(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        template = ctx.book.texts.consent_template("submitted")
        await bind(ctx, who.key, WechatIdentity("mini", "openid"))
        await ctx.stores.consents.add_consent(who.key, template, "tap")
        number = await submitted(ctx, who)
        for _ in range(2):
            await attend(ctx, number)
            session = await ctx.stores.sessions.get(who.key)
            assert session is not None and session.consents[template] == 1
            stored = await ctx.stores.matters.get(number)
            assert stored is not None
            (notice,) = stored.notices.values()
            assert (notice.channel, notice.state.value) == ("subscribe", "due")
            ctx.clock.ahead += timedelta(minutes=1)  # type: ignore[attr-defined]  # the test's clock


@pytest.mark.gen_test(timeout=120)
async def test_a_notice_does_not_follow_the_wechat_to_another_member_of_the_family(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        mother, son = await citizen(ctx, 1), await citizen(ctx, 2)
        template, shared = ctx.book.texts.consent_template("submitted"), "openid"
        await bind(ctx, mother.key, WechatIdentity("mini", shared))
        await ctx.stores.consents.add_consent(mother.key, template, "tap")
        number = await submitted(ctx, mother)
        # Half a change-over is enough: whoever dies after the account's own document was written.
        account = account_of(ctx, WechatIdentity("mini", shared))
        await ctx.stores.wechat_bindings.bind(Binding(account, "mini", son.key, "c", ctx.now()))
        await attend(ctx, number)
        stored = await ctx.stores.matters.get(number)
        assert stored is not None
        (notice,) = stored.notices.values()
        assert notice.channel == "sms"
        session = await ctx.stores.sessions.get(mother.key)
        assert session is not None and session.consents[template] == 1


@pytest.mark.gen_test(timeout=120)
async def test_what_cannot_be_settled_holds_up_nothing_else(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        bad, good = await citizen(ctx, 1), await citizen(ctx, 2)
        await _owing(ctx, bad, "no-such-effect")
        number = await _owing(ctx, good, "release_place")
        ctx.clock.ahead += timedelta(minutes=5)  # type: ignore[attr-defined]  # the test's clock
        await sweep(ctx, silent)
        assert await ctx.stores.matters.with_effect_due(ctx.now(), 10) != [number]
        stored = await ctx.stores.matters.get(number)
        assert stored is not None and stored.effects == ()


async def _owing(ctx: Context, who: Citizen, kind: str) -> str:
    number = await draft(ctx, who)
    await matters.withdraw(ctx, who, number, "away")
    owed = {f"effects.{number}-x": {"kind": kind, "data": {}}, "effect_due": ctx.now()}
    await ctx.stores.database["matters"].update_one({"_id": number}, {"$set": owed})
    return number
