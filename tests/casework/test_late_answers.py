"""A late answer reaches the citizen once, from the process or the worker, whoever is faster."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from tornado.httputil import HTTPServerRequest

from casework.context import Context
from casework.conversations import Conversations, fetch_photo, finish_late
from casework.turns import Incoming, Talk, Turn
from rules.people import Citizen
from rules.refusals import Refusal
from storage.conversations import Place
from storage.engines import EngineUrls
from tests.casework.inside import house
from tests.notify.counterpart import Reply, counterpart

_SEND = "/cgi-bin/message/custom/send"


async def _wechat(request: HTTPServerRequest) -> Reply:
    if request.path == "/cgi-bin/media/get":
        return 200, "image/jpeg", bytes(11 * 1024 * 1024)
    answer = {"errcode": 0, "access_token": "t", "expires_in": 7200}
    return 200, "application/json", orjson.dumps(answer)


def _said(ctx: Context, message_id: str) -> Incoming:
    return Incoming("official", f"openid-{message_id}", message_id, ctx.now(), "text", "你好")


@pytest.mark.gen_test(timeout=60)
async def test_a_worker_that_took_it_in_hand_is_not_answered_over(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    go_on = asyncio.Event()

    async def slow(ctx: Context, who: Citizen | None, talk: Talk, incoming: Incoming) -> Turn:
        await go_on.wait()
        return Turn("好")

    async def quick(ctx: Context, who: Citizen | None, talk: Talk, incoming: Incoming) -> Turn:
        return Turn("好")

    async with (
        counterpart(_wechat) as wechat,
        house(engine_urls, mongo_database, tmp_path, wechat_api=wechat.address) as ctx,
    ):
        chats = Conversations(slow, patience=0.05)
        assert (await chats.receive(ctx, _said(ctx, "m1"))).text is None
        # The process hangs for longer than its lease; the worker has seen to it meanwhile.
        later = replace(ctx, clock=lambda: ctx.now() + timedelta(minutes=1))
        (late,) = await ctx.stores.conversations.late_due(later.now(), 9)
        lease = later.now() + timedelta(minutes=1)
        assert await ctx.stores.conversations.take_late("m1", late.due, lease)
        go_on.set()
        await chats.settle()
        assert _SEND not in wechat.paths()

        assert (await chats.receive(ctx, _said(ctx, "m1"))).text == "好"
        again = replace(ctx, clock=lambda: lease + timedelta(minutes=1))
        assert await finish_late(again, quick) == 1
        assert await finish_late(again, quick) == 0
        assert wechat.paths().count(_SEND) == 1


@pytest.mark.gen_test(timeout=60)
async def test_an_answer_that_fails_holds_up_no_other_and_is_given_up_in_the_end(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async def broken(ctx: Context, who: Citizen | None, talk: Talk, incoming: Incoming) -> Turn:
        if incoming.message_id == "m1":
            raise RuntimeError("broken")
        return Turn("好")

    async with (
        counterpart(_wechat) as wechat,
        house(engine_urls, mongo_database, tmp_path, wechat_api=wechat.address) as ctx,
    ):
        talks, clock = ctx.stores.conversations, ctx.clock
        for name in ("m1", "m2"):
            said = _said(ctx, name)
            values = {**vars(said), "at": said.at.isoformat()}
            place = Place("visitors", name)
            assert await talks.postpone(place, name, values, ctx.now())
        assert await finish_late(ctx, broken) == 1
        assert wechat.paths().count(_SEND) == 1
        clock.ahead += timedelta(hours=49)  # type: ignore[attr-defined]  # the test's clock
        assert await finish_late(ctx, broken) == 0
        assert await talks.late_due(ctx.now() + timedelta(days=1), 9) == []


@pytest.mark.gen_test(timeout=60)
async def test_a_picture_too_large_is_called_so(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with (
        counterpart(_wechat) as wechat,
        house(engine_urls, mongo_database, tmp_path, wechat_api=wechat.address) as ctx,
    ):
        with pytest.raises(Refusal) as refused:
            async with fetch_photo(ctx, "media"):
                pass
        assert refused.value == Refusal("photo-too-large", megabytes="10")
