"""Talks: one answer a turn, the same reply to a retry, promised answers kept until given."""

import asyncio
from datetime import timedelta

import pytest

from storage.conversations import Place, SealedReply, StoredTalk
from storage.engines import EngineUrls
from storage.stores import Stores
from tests.storage.opening import NOW, opened, registered

LATER = NOW + timedelta(minutes=30)


async def _commit(stores: Stores, place: Place, turn: int, message: str, step: int | None) -> bool:
    return await stores.conversations.commit(
        place,
        turn,
        message_id=message,
        reply=f"答复{message}",
        dialogue=None if step is None else {"step": step},
        expires_at=LATER,
    )


async def _places(stores: Stores) -> tuple[Place, Place]:
    return Place("visitors", "v" * 43), Place("sessions", await registered(stores))


@pytest.mark.gen_test(timeout=30)
async def test_of_twenty_answers_to_one_turn_one_is_kept(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        for place in await _places(stores):
            for turn in range(3):
                kept = await asyncio.gather(
                    *(_commit(stores, place, turn, f"{turn}-{i}", i) for i in range(20))
                )
                assert sum(kept) == 1
                talk = await stores.conversations.load(place)
                winner = kept.index(True)
                assert talk.turn == turn + 1
                assert talk.dialogue_at(NOW) == {"step": winner}
                given = stores.conversations.reply_to(talk, f"{turn}-{winner}")
                assert given == f"答复{turn}-{winner}"
                other = f"{turn}-{(winner + 1) % 20}"
                assert stores.conversations.reply_to(talk, other) is None


@pytest.mark.gen_test(timeout=30)
async def test_a_dialogue_expires_and_the_last_ten_replies_stay(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        for place in await _places(stores):
            for turn in range(12):
                assert await _commit(stores, place, turn, f"m{turn}", turn)
            talk = await stores.conversations.load(place)
            assert talk.dialogue_at(LATER) is None and talk.dialogue_at(NOW) == {"step": 11}
            found = [stores.conversations.reply_to(talk, f"m{i}") for i in range(12)]
            assert found == [None, None, *(f"答复m{i}" for i in range(2, 12))]
            assert await _commit(stores, place, 12, "end", None)
            assert (await stores.conversations.load(place)).dialogue_at(NOW) is None


@pytest.mark.gen_test(timeout=30)
async def test_a_dropped_visitor_begins_anew(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        place, _ = await _places(stores)
        assert await _commit(stores, place, 0, "m", 1)
        await stores.conversations.drop(place.key)
        assert await stores.conversations.load(place) == StoredTalk()
        assert await _commit(stores, place, 0, "m", 1)


def test_a_talk_goes_on_where_it_began() -> None:
    said = (SealedReply(Place("visitors", "v"), "id", b"sealed"),)
    before = StoredTalk(4, {"step": 2}, LATER, said)
    assert StoredTalk(0).carrying(before) == StoredTalk(0, {"step": 2}, LATER, said)


@pytest.mark.gen_test(timeout=30)
async def test_a_promised_answer_is_taken_in_hand_by_one(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        talks = stores.conversations
        place = Place("visitors", "v" * 43)
        message = {"openid": "o-openid", "text": "你好"}
        kept = await asyncio.gather(*(talks.postpone(place, "m1", message, NOW) for _ in range(5)))
        assert sum(kept) == 1
        assert await talks.late_due(NOW - timedelta(seconds=1), 10) == []
        (late,) = await talks.late_due(NOW, 10)
        assert late.place == place and late.message == message
        taken = await asyncio.gather(*(talks.take_late("m1", late.due, LATER) for _ in range(5)))
        assert sum(taken) == 1
        assert await talks.late_due(NOW, 10) == []
        assert len(await talks.late_due(LATER, 10)) == 1
        await talks.late_done(place, "m1")
        assert await talks.late_due(LATER, 10) == []
