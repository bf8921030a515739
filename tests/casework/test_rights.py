"""No sequence of verbs gives a right the table does not give (issue 3, REQ A8).

A person lives through any sequence of what may happen to him (``lives.VERBS``); beside him a record
is kept of what was really proved. After every verb, what he may begin is what
``rules.permissions`` says for that, and nothing else; nobody begins anything for him.

That these tests fail was tried, by taking out one use of the table or of a mandate at a time:

* ``rules.guards.may_begin`` without ``_closed_to``: ``(['buys_a_car'], 'query')``,
  ``assert True == False``.
* ``rules.student_conditions.signed_if_owner`` never refusing: ``buys_a_car is_enrolled
  is_approved`` gives ``{Tier.STUDENT} == set()``.
* ``rules.acting.may_begin_for`` without ``_by_mandate``: ``'not-allowed-tier' ==
  'mandate-not-live'``, as he is asked for his tier on a stranger's word.
* ``rules.acting.may_go_on`` without ``_by_mandate``: ``he went on without a mandate``.

The last two passed unseen before ``goes_on_after_his_mandate_ended`` and the stranger were added.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.context import Context
from casework.facts import facts_about
from rules.facts import Facts
from rules.flow import TABLE, decide
from rules.matter import NewEvent
from rules.people import Actor, Tier
from rules.permissions import PERMISSIONS, may, missing
from rules.refusals import Refusal
from storage.engines import EngineUrls
from tests.casework.inside import SERVICE, house
from tests.casework.lives import VERBS, Life

GRANTING = {"grant_face_signed", "grant_student", "upgrade_student"}
"""The effects that give a tier."""


class World:
    """One house for all examples, with a loop of its own: hypothesis knows none."""

    def __init__(self, urls: EngineUrls, database: str, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.held = AsyncExitStack()
        entering = self.held.enter_async_context(house(urls, database, folder))
        self.ctx: Context = self.runner.run(_awaited(entering))
        self.orders = itertools.count(1)

    def close(self) -> None:
        self.runner.run(self.held.aclose())
        self.runner.close()

    def live(self, names: list[str]) -> set[Tier]:
        """Somebody new lives through these verbs; what is proved of him in the end."""
        return self.runner.run(self._live(names))

    async def _live(self, names: list[str]) -> set[Tier]:
        order = next(self.orders)
        life = Life(self.ctx, order, phone=f"137000{order:05d}")
        person = {"id_number": life.number, "name": "陈学员"}
        await self.ctx.stores.registry.upsert_population([person])
        for life.turn, name in enumerate(names):
            with suppress(Refusal):
                await VERBS[name](life)
            await _only_what_the_table_gives(life, names[: life.turn + 1])
        return life.proved


async def _awaited(entering: Awaitable[Context]) -> Context:
    return await entering


async def _only_what_the_table_gives(life: Life, story: list[str]) -> None:
    facts = await facts_about(life.ctx, life.key, life.number)
    assert facts.tiers == life.proved, story
    for business in PERMISSIONS:
        begun = _begins(life.ctx, facts, business, life.citizen.actor)
        assert begun == may(life.proved, business), (story, business)
    stranger = {"applicant": "somebody else", "subject": life.key, "channel": "mini"}
    service, who = life.ctx.book.catalogue[SERVICE], Actor("citizen", "somebody else")
    no = decide(service, None, "create", who, stranger, facts, life.ctx.now(), life.ctx.book)
    assert isinstance(no, Refusal) and no.code == "mandate-not-live", story


def _begins(ctx: Context, facts: Facts, business: str, actor: Actor) -> bool:
    """Whether the table of a matter's life lets him begin a service of this business."""
    service = ctx.book.catalogue[SERVICE]
    who = replace(service.who, business=business)
    service = replace(service, who=who, conditions=())
    given = {"applicant": actor.key, "subject": actor.key, "channel": "mini"}
    decided = decide(service, None, "create", actor, given, facts, ctx.now(), ctx.book)
    if isinstance(decided, Refusal):
        assert decided.code == "not-allowed-tier"
        wanted = [t.value for t in missing(facts.tiers, business)]
        assert decided.params["missing"] == wanted and wanted
    return isinstance(decided, NewEvent)


@pytest.fixture
def world(engine_urls: EngineUrls, mongo_database: str, tmp_path: Path) -> Iterator[World]:
    """The house."""
    made = World(engine_urls, mongo_database, tmp_path)
    yield made
    made.close()


def test_no_sequence_of_verbs_gives_a_right_the_table_does_not(world: World) -> None:
    seen: set[str] = set()

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=True,
    )
    @given(st.lists(st.sampled_from(sorted(VERBS)), min_size=1, max_size=9))
    def lives(names: list[str]) -> None:
        seen.update(names)
        world.live(names)

    lives()
    assert seen == set(VERBS)


D, S, F = Tier.DIRECT, Tier.STUDENT, Tier.FACE_SIGNED
STORIES = (
    (
        "buys_a_car registers is_face_signed begins_a_draft sells_the_car is_enrolled is_approved",
        {D, F, S},
    ),
    ("is_enrolled is_approved gets_the_licence begins_a_draft unbinds_everything", {F}),
    ("buys_a_car is_enrolled is_approved", set()),
    ("buys_a_car is_face_signed is_enrolled is_approved leaves_the_school", {D, F}),
    ("is_enrolled is_approved registers changes_his_phone gives_a_mandate", {S, D}),
    ("buys_a_car registers is_face_signed changes_his_phone closes_the_account", set()),
    ("registers goes_on_after_his_mandate_ended", {D}),
    ("registers is_given_a_mandate begins_a_draft ends_his_mandates gives_a_mandate", {D}),
)


@pytest.mark.parametrize(("story", "proved"), STORIES)
def test_the_stories_that_come_to_mind(world: World, story: str, proved: set[Tier]) -> None:
    assert world.live(story.split()) == proved


def test_no_step_a_citizen_takes_gives_a_tier(world: World) -> None:
    given_by = {
        (step.by, step.event)
        for service in world.ctx.book.catalogue
        for event, kinds in service.effects.items()
        for step in TABLE[service.kind]
        if step.event == event and GRANTING & set(kinds)
    }
    assert given_by and not {by for by, _ in given_by} & {"citizen", "school", "system"}
