"""How tests are put in the chat: a session, a booking, a student's standing, each in a line."""

from datetime import date, datetime

from bot.scene import Scene
from bot.wording import joined, listed, moment
from casework.exams.views import BookingSummary, BookingView, PlanView, RecordView, SubjectView
from rules.calendar import HOUSE_ZONE
from rules.deadlines import say_date, say_weekday


def on(day: date) -> str:
    """A day as people say it: ``12月10日 周四``."""
    return f"{day.month}月{day.day}日 {say_weekday(day)}"


def on_day_of(at: datetime) -> str:
    """The day of a moment, as people say it."""
    return on(at.astimezone(HOUSE_ZONE).date())


def until(at: datetime) -> str:
    """A moment to the minute: ``12月5日 18:00``."""
    local = at.astimezone(HOUSE_ZONE)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def short(scene: Scene, subject: str) -> str:
    """What a subject is called in a list."""
    return scene.ctx.book.texts.say(f"exams.short.{subject}")


def plan_line(scene: Scene, plan: PlanView) -> str:
    """A session and whether there is a place."""
    if plan.bookable:
        seats = scene.say("exam_left", left=plan.left)
    elif plan.status == "open":
        full = "exam_full_waiting" if plan.waiting else "exam_full"
        seats = scene.say(full, waiting=plan.waiting)
    else:
        seats = plan.status_label
    return f"{on(plan.day)} {plan.starts} {plan.site_name} {seats}"


def sitting(booking: BookingView | BookingSummary | PlanView) -> str:
    """What is booked, when and where."""
    where = f"{booking.starts}–{booking.ends} {booking.site_name}"
    return f"{booking.subject_label}\n{on(booking.day)} {where}"


def booking_line(scene: Scene, booking: BookingSummary) -> str:
    """A booking in one line of a list."""
    what = f"{short(scene, booking.subject)} {on(booking.day)} {booking.starts}"
    return f"{what} {booking.site_name}：{booking.state_label}"


def booking_text(scene: Scene, booking: BookingView) -> str:
    """A booking with its place in line or its offer, what was done, what comes next."""
    done = [
        f"{moment(e.at)} {e.text}" + (f"：{e.note}" if e.note else "") for e in booking.timeline
    ]
    return joined(
        scene.say(
            "exam_head",
            sitting=sitting(booking),
            number=booking.number,
            state=booking.state_label,
        ),
        _standing_in_line(scene, booking),
        scene.say("exam_outcome", outcome=booking.outcome_label) if booking.outcome else "",
        f"{scene.say('progress_done')}\n{listed(done)}" if done else "",
        f"{scene.say('progress_next')}{booking.next_step}",
        cancelling(scene, booking) if booking.state in ("accepted", "confirmed") else "",
    )


def _standing_in_line(scene: Scene, booking: BookingView) -> str:
    if booking.offer_until is not None:
        return scene.say("exam_offer_until", until=until(booking.offer_until))
    if booking.position is not None:
        return scene.say("exam_position", position=booking.position)
    return scene.say("exam_changed") if booking.changed else ""


def cancelling(scene: Scene, booking: BookingView) -> str:
    """Until when it can be cancelled, here and at the office."""
    if "cancel" in booking.actions and not booking.changed:
        return scene.say(
            "exam_cancel_online",
            online=until(booking.cancel_online_until),
            office=on(booking.cancel_office_until),
        )
    if "cancel" in booking.actions:
        return scene.say("exam_cancel_changed")
    if scene.ctx.today() <= booking.cancel_office_until:
        return scene.say("exam_cancel_office", office=on(booking.cancel_office_until))
    return scene.say("exam_cancel_over")


def standing(scene: Scene, subject: SubjectView) -> str:
    """Where a student stands in one subject."""
    if subject.passed:
        when = say_date(subject.passed_on) if subject.passed_on else ""
        return scene.say("exam_passed", subject=subject.label, day=when)
    if subject.booking:
        return scene.say("exam_booked_already", subject=subject.label)
    left = scene.say("exam_times_left", left=subject.left) if subject.left is not None else ""
    first = subject.bookable_from
    if subject.why:
        first_day = subject.why
    elif first is None or first <= scene.ctx.today():
        first_day = scene.say("exam_bookable_now")
    else:
        first_day = scene.say("exam_bookable_from", day=on(first))
    return f"{subject.label}：{left}{first_day}"


def record_head(scene: Scene, record: RecordView) -> str:
    """The class, the office that tests, the permit."""
    office = record.office.name if record.office else ""
    permit = say_date(record.permit_until) if record.permit_until else ""
    head = scene.say("exam_record_head", vehicle_class=record.vehicle_class, office=office)
    held = scene.say("exam_permit", until=permit) if permit else scene.say("exam_no_permit")
    return f"{head}\n{held}"
