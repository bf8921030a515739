"""The chat: each message answered once, in order, with the same answer to a retry.

The conditional write on ``turn`` decides; Redis only keeps two processes from thinking about the
same person at once. An answer that is not ready in time is promised durably ("success" goes back
to WeChat) and follows by customer-service message, from this process or from the worker.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

import structlog

from casework.context import Context
from casework.photos import Spool
from casework.turns import Incoming, Reply, Talk, Think, Turn
from casework.wechat_bindings import agrees, in_other_app
from casework.wechat_identity import account_of
from notify.outcome import Rejected, Taken
from notify.wechat import WechatError
from rules.people import Citizen
from rules.refusals import Refusal
from storage.conversations import Place, StoredTalk
from storage.session_documents import Session

log = structlog.get_logger()

_TRIES = 6
_TURN_WAIT = 15.0
_TURN_POLL = 0.03
# Customer-service messages go out within 48 hours of the person's own .
_WINDOW = timedelta(hours=48)
_MEDIA_LIMIT = 10 * 1024 * 1024


@dataclass
class Conversations:
    """The chats one process is answering now; built once in bianmin/app.py."""

    think: Think
    patience: float = 4.0
    _under_way: dict[str, asyncio.Task[str]] = field(default_factory=dict)
    _late: set[asyncio.Task[None]] = field(default_factory=set)

    async def receive(self, ctx: Context, incoming: Incoming) -> Reply:
        """Answer one message within WeChat's patience, or promise the answer.

        A retry joins the first attempt and gets its answer. Raises what ``think`` raises
        unexpectedly; expected refusals are worded by ``think`` itself.
        """
        task = self._under_way.get(incoming.message_id)
        if task is None:
            task = asyncio.ensure_future(answer(ctx, incoming, self.think))
            self._under_way[incoming.message_id] = task
            task.add_done_callback(lambda _: self._under_way.pop(incoming.message_id, None))
        done, _ = await asyncio.wait({task}, timeout=self.patience)
        if done:
            return Reply(task.result())
        due = ctx.now() + ctx.seconds("chat.late_lease_seconds")
        if not await _postpone(ctx, incoming, due):
            return Reply(None)
        late = asyncio.ensure_future(_follow(ctx, incoming, task, due))
        self._late.add(late)
        late.add_done_callback(self._late.discard)
        return Reply(None)

    async def settle(self) -> None:
        """Wait for late answers under way; called when the process is asked to stop."""
        if self._late:
            await asyncio.wait(self._late, timeout=self.patience)


async def answer(ctx: Context, incoming: Incoming, think: Think) -> str:
    """The one answer to a message: found if it was given before, else worked out and kept."""
    person = incoming.citizen or _openid_key(ctx, incoming)
    async with _turn_of(ctx, person, incoming.message_id):
        for _ in range(_TRIES):
            place, citizen, stored = await _where(ctx, incoming, person)
            if citizen is None and stored.turn == 0 and await in_other_app(ctx, incoming.identity):
                place, citizen, stored = await _where(ctx, incoming, person)
            said = ctx.stores.conversations.reply_to(stored, incoming.message_id)
            if said is not None:
                return said
            talk = Talk(stored.dialogue_at(ctx.now()))
            turn = await think(ctx, citizen, talk, incoming)
            ctx.checkpoint("before-turn")
            if turn.moved:
                # Thought once: whom the account speaks for has changed by it.
                await _carry_over(ctx, incoming, person, turn)
                await _leave_off(ctx, incoming, place, stored, turn)
                return turn.reply
            if await _commit(ctx, incoming, place, stored, turn):
                return turn.reply
    raise Refusal("busy-try-again")


async def _commit(
    ctx: Context, incoming: Incoming, place: Place, stored: StoredTalk, turn: Turn
) -> bool:
    return await ctx.stores.conversations.commit(
        place,
        stored.turn,
        message_id=incoming.message_id,
        reply=turn.reply,
        dialogue=turn.dialogue,
        expires_at=ctx.now() + ctx.seconds("chat.dialogue_seconds"),
    )


async def _carry_over(ctx: Context, incoming: Incoming, person: str, turn: Turn) -> None:
    """Keep the answer where the talk lies from now on: with the person the account speaks for, or
    with a visitor when it speaks for nobody any more."""
    for _ in range(_TRIES):
        place, _, stored = await _where(ctx, incoming, person)
        if await _commit(ctx, incoming, place, stored, turn):
            return
    raise Refusal("busy-try-again")


async def _leave_off(
    ctx: Context, incoming: Incoming, place: Place, stored: StoredTalk, turn: Turn
) -> None:
    """End the talk where it lay before: it may name the person it went over to."""
    if place.kind == "visitors":
        await ctx.stores.conversations.drop(place.key)
    else:
        await _commit(ctx, incoming, place, stored, Turn("", turn.behind))


@dataclass(frozen=True)
class UnderWay:
    """The dialogue a citizen left off, in whichever channel, until ``expires_at``."""

    talk: Talk
    expires_at: datetime | None


async def under_way(ctx: Context, citizen: Citizen) -> UnderWay:
    """What was being talked about with a citizen; an empty talk when nothing is open."""
    found = await ctx.stores.conversations.of_citizen(citizen.key)
    if found is None:
        raise Refusal("not-logged-in")
    dialogue = found[1].dialogue_at(ctx.now())
    return UnderWay(Talk(dialogue), found[1].expires_at if dialogue else None)


async def _where(
    ctx: Context, incoming: Incoming, person: str
) -> tuple[Place, Citizen | None, StoredTalk]:
    found = await _citizen(ctx, incoming, person)
    if found is None:
        place = Place("visitors", person)
        return place, None, await ctx.stores.conversations.load(place)
    citizen, stored = found
    place = Place("sessions", citizen.key)
    if stored.turn == 0 and not incoming.citizen:
        # The process may have died between binding the account and carrying the talk over.
        before = await ctx.stores.conversations.load(Place("visitors", person))
        stored = stored.carrying(before)
    return place, citizen, stored


async def _citizen(
    ctx: Context, incoming: Incoming, person: str
) -> tuple[Citizen, StoredTalk] | None:
    """Who writes, with his talk: one read where this process has met him before."""
    stores = ctx.stores
    if incoming.citizen:
        logged_in = await stores.conversations.of_citizen(incoming.citizen)
        if logged_in is None:
            raise Refusal("not-logged-in")
        return logged_in[0].citizen(ctx.today()), logged_in[1]
    # Guessed and looked up at once: whom the account spoke for last is mostly whom it speaks for.
    last = stores.wechat_bindings.last_seen(person)
    held, guessed = await asyncio.gather(stores.wechat_bindings.get(person), _talk_with(ctx, last))
    if held is None or held.session is None:
        return None
    found = guessed if held.session == last else await _talk_with(ctx, held.session)
    if found is None or not await agrees(ctx, incoming.identity, held, found[0]):
        return None
    return found[0].citizen(ctx.today()), found[1]


async def _talk_with(ctx: Context, key: str | None) -> tuple[Session, StoredTalk] | None:
    return await ctx.stores.conversations.of_citizen(key) if key else None


def _openid_key(ctx: Context, incoming: Incoming) -> str:
    return account_of(ctx, incoming.identity)


@contextlib.asynccontextmanager
async def _turn_of(ctx: Context, person: str, message_id: str) -> AsyncIterator[None]:
    """Wait until every earlier message of this person is answered, within reason."""
    memory = ctx.stores.memory
    until = asyncio.get_running_loop().time() + _TURN_WAIT
    while not await memory.take_place(person, message_id):
        if asyncio.get_running_loop().time() > until:
            break  # its holder is stuck or dead; the conditional write still guards
        await asyncio.sleep(_TURN_POLL)
    try:
        yield
    finally:
        await memory.leave_place(person, message_id)


async def _postpone(ctx: Context, incoming: Incoming, due: datetime) -> bool:
    """Keep a message that cannot be answered in time; False when it was kept before."""
    place, _, _ = await _where(ctx, incoming, _openid_key(ctx, incoming))
    message = {**asdict(incoming), "at": incoming.at.isoformat()}
    return await ctx.stores.conversations.postpone(place, incoming.message_id, message, due)


async def _follow(ctx: Context, incoming: Incoming, task: asyncio.Task[str], due: datetime) -> None:
    """Send a late answer from the process that worked it out, unless it took so long that a
    worker has it in hand."""
    text = await task
    lease = ctx.now() + ctx.seconds("chat.late_lease_seconds")
    if not await ctx.stores.conversations.take_late(incoming.message_id, due, lease):
        return
    place, _, _ = await _where(ctx, incoming, _openid_key(ctx, incoming))
    await _deliver(ctx, place, incoming, text)


async def finish_late(ctx: Context, think: Think, limit: int = 20) -> int:
    """The worker's part: answer what was promised by a process that died or was too slow; how
    many were. One that fails holds up no other, and is given up when WeChat takes no more."""
    done = 0
    for late in await ctx.stores.conversations.late_due(ctx.now(), limit):
        message = dict(late.message)
        incoming = Incoming(**{**message, "at": datetime.fromisoformat(message["at"])})
        lease = ctx.now() + ctx.seconds("chat.late_lease_seconds")
        if not await ctx.stores.conversations.take_late(incoming.message_id, late.due, lease):
            continue  # another worker has it
        try:
            text = await answer(ctx, incoming, think)
            await _deliver(ctx, late.place, incoming, text)
            done += 1
        except Exception:
            log.exception("late-answer-failed", message_id=incoming.message_id)
            if ctx.now() - incoming.at > _WINDOW:
                await ctx.stores.conversations.late_done(late.place, incoming.message_id)
    return done


async def _deliver(ctx: Context, place: Place, incoming: Incoming, text: str) -> None:
    if text:
        outcome = await ctx.gateways.official.send_text(incoming.openid, text)
        if isinstance(outcome, Rejected) and outcome.action == "retry":
            return  # stays owed; the worker tries again when its lease ends
        if not isinstance(outcome, Taken):
            log.warning("late-answer-not-sent", message_id=incoming.message_id, outcome=outcome)
    await ctx.stores.conversations.late_done(place, incoming.message_id)


@contextlib.asynccontextmanager
async def fetch_photo(ctx: Context, media_id: str) -> AsyncIterator[Spool]:
    """A picture sent in the chat, as an encrypted spool. Raises media-not-available, photo-…"""
    try:
        content, _ = await ctx.gateways.official.fetch_media(media_id, _MEDIA_LIMIT)
    except WechatError as error:
        if error.code == "too-large":
            raise Refusal("photo-too-large", megabytes=str(_MEDIA_LIMIT // 2**20)) from error
        raise Refusal("media-not-available") from error
    async with ctx.lab.spool() as spool:
        await spool.write(content)
        await spool.done()
        yield spool
