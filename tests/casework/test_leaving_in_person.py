"""Who enrolled at the window leaves there, with his own code; his school's students do not."""

from pathlib import Path

import pytest

from casework import desk, steps
from casework.enrolments import ask_leave_code, leave_in_person
from casework.exams.booking import book
from casework.exams.listing import plan
from rules.matter import State
from storage.engines import EngineUrls
from tests.casework.exams import enrolment, learner, published
from tests.casework.inside import OTHER, house, officer
from tests.casework.schools import clerk
from tests.casework.test_enrolments import approved, code_for
from tests.casework.test_exams_at_desk import looks, refused


@pytest.mark.gen_test(timeout=120)
async def test_his_own_office_lets_him_go_with_his_code(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, away, school = await officer(ctx), await officer(ctx, OTHER), await clerk(ctx)
        one = await learner(ctx, 1)
        number = await enrolment(ctx, one)
        await published(ctx)
        held = await book(ctx, one, "K2-1", "a", "mini")
        assert (await desk.open_matter(ctx, who, number)).may_leave
        assert (await refused(ask_leave_code(ctx, away, number))).code == "not-found"
        assert (await looks(ctx, one))[-1] == "turned-away"
        assert (await refused(ask_leave_code(ctx, school, number))).code == "role-not-allowed"
        guess = leave_in_person(ctx, who, number, "123456", "desk:l")
        assert (await refused(guess)).code == "code-expired"
        sent = await ask_leave_code(ctx, who, number)
        assert one.phone not in str(sent) and sent.phone.endswith(one.phone[-4:])
        code = await code_for(ctx)
        done = await leave_in_person(ctx, who, number, code, "desk:l")
        assert (done.state, done.fresh) == (State.WITHDRAWN, True)
        again = await leave_in_person(ctx, who, number, code, "desk:l")
        assert (again.state, again.fresh) == (State.WITHDRAWN, False)
        matter = (await steps.load(ctx, number)).matter
        left = matter.last("left")
        assert left is not None and left.actor == who.actor
        session = await ctx.stores.sessions.get(one.key)
        assert session is not None and session.tiers == frozenset()
        booking = (await steps.load(ctx, held.number)).matter
        assert (booking.state, booking.timeline[-1].type) == (State.WITHDRAWN, "let_go")
        assert (await plan(ctx, "K2-1")).left == 2
        assert (await refused(ask_leave_code(ctx, who, number))).code == "not-found"


@pytest.mark.gen_test(timeout=120)
async def test_a_schools_student_is_not_the_offices_to_let_go(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, number = await officer(ctx), await approved(ctx, 1)
        assert not (await desk.open_matter(ctx, who, number)).may_leave
        assert (await refused(ask_leave_code(ctx, who, number))).code == "not-found"
        step = steps.take(ctx, number, "leave", who.actor, "desk:l")
        assert (await refused(step)).code == "not-found"
