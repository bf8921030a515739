"""From plans, bookings and records to what a person reads."""

from datetime import datetime

from casework.context import Context
from casework.exam_effects import booking_key
from casework.exams.facts import record_for
from casework.exams.views import (
    AttemptView,
    BookingView,
    PlanView,
    RecordView,
    SubjectView,
)
from casework.offices import office_name
from casework.presenting import matter_view, office_view
from rules.exams.booking import HELD, change_unanswered, day_of
from rules.exams.days import last_office_day, told_by
from rules.exams.plan import Plan, Subject
from rules.exams.results import result_of
from rules.exams.standing import stand, voiding
from rules.matter import Matter, State
from storage.matter_documents import StoredMatter


def subject_label(ctx: Context, subject: str) -> str:
    """What a subject is called."""
    return ctx.book.texts.say(f"exams.subjects.{subject}")


def outcome_label(ctx: Context, outcome: str) -> str:
    """What an outcome is called."""
    return ctx.book.texts.say(f"exams.outcomes.{outcome}")


async def plan_view(ctx: Context, plan: Plan) -> PlanView:
    """A session as everybody sees it."""
    open_now = plan.status == "open" and ctx.now() < plan.closes_at
    status = plan.status if open_now or plan.status != "open" else "closed"
    return PlanView(
        code=plan.code,
        office=plan.office,
        office_name=await office_name(ctx, plan.office, plan.office),
        site=plan.site,
        site_name=plan.site_name,
        subject=plan.subject.value,
        subject_label=subject_label(ctx, plan.subject.value),
        vehicle_class=plan.vehicle_class,
        day=plan.day,
        starts=plan.starts,
        ends=plan.ends,
        capacity=plan.capacity,
        booked=plan.booked,
        left=plan.left,
        waiting=plan.waiting,
        closes_at=plan.closes_at,
        published_at=plan.published_at,
        status=status,
        status_label=ctx.book.texts.say(f"exams.statuses.{status}"),
        bookable=open_now and plan.left > 0 and not plan.waiting,
        outcomes={k: v for k, v in plan.outcomes.items() if v},
    )


async def booking_view(ctx: Context, matter: Matter | StoredMatter) -> BookingView:
    """A booking as its student sees it."""
    stored = matter if isinstance(matter, StoredMatter) else None
    held = stored.matter if stored else matter
    assert isinstance(held, Matter)
    form, day = held.form, day_of(held)
    view = await matter_view(ctx, held, stored.notices if stored else None)
    places = None
    if held.state in (State.WAITING, State.OFFERED):
        places = await ctx.stores.exam_places.get(form["plan"])
    result = result_of(held)
    return BookingView(
        number=held.number,
        state=view.state,
        state_label=view.state_label,
        plan=form["plan"],
        subject=form["subject"],
        subject_label=subject_label(ctx, form["subject"]),
        vehicle_class=form["vehicle_class"],
        day=day,
        starts=form["starts"],
        ends=form["ends"],
        site=form["site"],
        site_name=form["site_name"],
        office=view.office,
        created_at=held.created_at,
        cancel_online_until=datetime.fromisoformat(form["closes_at"]),
        cancel_office_until=last_office_day(day, ctx.book.parameters),
        told_by=told_by(day, ctx.book.parameters),
        position=places.position(held.number) if places else None,
        offer_until=places.offers.get(held.number) if places else None,
        changed=held.state in HELD and change_unanswered(held),
        outcome=result[0] if result else None,
        outcome_label=outcome_label(ctx, result[0]) if result else "",
        actions=view.actions,
        next_step=view.next_step,
        timeline=view.timeline,
        notices=view.notices,
        version=held.version,
    )


async def record_view(ctx: Context, key: str) -> RecordView | None:
    """A student's record; None for who is no student."""
    record = await record_for(ctx, key)
    if record is None:
        return None
    licence = await ctx.stores.registry.licence(key) if record.adding else None
    parameters, today = ctx.book.parameters, ctx.today()
    standing = stand(record, licence, parameters, today)
    claims = {s: await ctx.stores.live_bookings.get(booking_key(key, s.value)) for s in Subject}
    office = await ctx.office(record.office)
    void = voiding(record, parameters)
    return RecordView(
        vehicle_class=record.vehicle_class,
        office=office_view(office) if office else None,
        permit_issued_on=record.permit.issued_on if record.permit else None,
        permit_until=record.permit.until if record.permit else None,
        subjects=[
            SubjectView(
                subject=one.subject.value,
                label=subject_label(ctx, one.subject.value),
                passed=one.passed_on is not None,
                passed_on=one.passed_on,
                used=one.used,
                left=one.left,
                bookable_from=one.bookable_from,
                why=ctx.book.texts.refusal(one.why).detail if one.why else "",
                booking=claim.matter if claim else None,
            )
            for one in standing
            for claim in (claims[one.subject],)
        ],
        attempts=[
            AttemptView(
                subject=a.subject.value,
                subject_label=subject_label(ctx, a.subject.value),
                day=a.day,
                outcome=a.outcome,
                outcome_label=outcome_label(ctx, a.outcome),
                retried=a.retried,
                void=void is not None and a.outcome == "passed" and a.day <= void.day,
            )
            for a in record.attempts
        ],
    )
