"""What an event does to other documents: applied in order, each at most once by its target.

A matter records an effect in its one write; ``casework.steps`` applies it right after, and the
sweep when the process died in between. Order matters: a hold recorded before its release is applied
before it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from casework import exam_effects, wechat_bindings
from casework.answers import Answer, Onward
from casework.context import Context
from rules.effects import Effect
from rules.enrolments import until_of
from rules.matter import Matter
from rules.people import Tier
from storage.registry import Hold
from storage.session_documents import NewSession
from storage.tiers import StudentTier

Apply = Callable[[Context, Matter, Effect], Awaitable[Answer | Sequence[Onward] | None]]


async def _release_place(ctx: Context, matter: Matter, effect: Effect) -> None:
    """The citizen the matter is about may begin this service anew."""
    await ctx.stores.sessions.release_open(matter.subject, matter.service, matter.number)


async def _hold_licence(ctx: Context, matter: Matter, effect: Effect) -> None:
    """While it is under review the licence is not cancelled for being expired (REQ C1)."""
    hold = Hold(matter=matter.number, kind="pending", until=None)
    await ctx.stores.registry.hold_licence(matter.subject, effect.id, hold)


async def _defer_licence(ctx: Context, matter: Matter, effect: Effect) -> None:
    """The licence is kept until the day granted; no driving meanwhile (162令 第七十五条)."""
    hold = Hold(matter=matter.number, kind="deferred", until=matter.form["until"])
    await ctx.stores.registry.hold_licence(matter.subject, effect.id, hold)


async def _release_licence(ctx: Context, matter: Matter, effect: Effect) -> None:
    """Refused or withdrawn: nothing protects the licence any more."""
    await ctx.stores.registry.release_hold(matter.subject, effect.id, matter.number)


async def _grant_face_signed(ctx: Context, matter: Matter, effect: Effect) -> None:
    """Face-signed rights, licence and vehicles bound, with an account opened if there is none.
    Where the phone is another one now, every login ends as by ``_change_phone``."""
    signed = matter.timeline[0]
    data = signed.data
    await ctx.stores.sessions.create(
        NewSession(
            key=matter.applicant,
            id_number=data["id_number"],
            name=data["name"],
            phone=data["phone"],
            created_at=signed.at,
            cause=effect.id,
        )
    )
    await ctx.stores.sessions.grant_tier(
        matter.applicant,
        Tier.FACE_SIGNED,
        effect.id,
        since=signed.at,
        office=signed.actor.office or "",
        phone=data["phone"],
        licence=data["licence"],
        licence_office=data["licence_office"],
        plates=data["vehicles"],
    )
    if data.get("before"):
        await _put_phone(ctx, matter.applicant, f"{effect.id}-phone", data["phone"])


async def _grant_student(ctx: Context, matter: Matter, effect: Effect) -> None:
    """A student's account, opened if he has none; who has one keeps its phone (REQ A3)."""
    granted = matter.last("approved") or matter.last("enrolled_in_person")
    until = until_of(matter)
    assert granted is not None and until is not None  # the effect belongs to one of the two
    form = matter.form
    await ctx.stores.sessions.create(
        NewSession(
            key=matter.applicant,
            id_number=form["id_number"],
            name=form["name"],
            phone=form["phone"],
            created_at=granted.at,
            cause=effect.id,
            direct=False,
        )
    )
    await ctx.stores.tiers.grant_student(
        matter.applicant,
        effect.id,
        StudentTier(matter.number, matter.school, form["vehicle_class"], until),
        since=granted.at,
        office=matter.office or "",
    )


async def _move_student(ctx: Context, matter: Matter, effect: Effect) -> None:
    """To another school: the tier goes with him, if he has it yet."""
    await ctx.stores.tiers.change_student(
        matter.applicant,
        effect.id,
        matter.number,
        school=matter.school,
        office=matter.office or "",
    )


async def _permit_student(ctx: Context, matter: Matter, effect: Effect) -> None:
    """His rights end with the learner permit, whose last day is known now (162令 第四十一条)."""
    until = until_of(matter)
    assert until is not None  # the permit has one
    await ctx.stores.tiers.change_student(
        matter.applicant, effect.id, matter.number, until=until.isoformat()
    )


async def _activate_student(ctx: Context, matter: Matter, effect: Effect) -> None:
    """He has logged in: later logins need not look."""
    await ctx.stores.tiers.change_student(matter.applicant, effect.id, matter.number, active=True)


async def _revoke_student(ctx: Context, matter: Matter, effect: Effect) -> None:
    """He left, or the time for learning is over: no student any more."""
    await ctx.stores.tiers.revoke_student(matter.applicant, effect.id, matter.number)


async def _upgrade_student(ctx: Context, matter: Matter, effect: Effect) -> None:
    """From student to licence holder with face-signed rights, the licence bound (REQ A6)."""
    issued = matter.last("licence_issued")
    assert issued is not None  # the effect belongs to it
    await ctx.stores.tiers.license_student(
        matter.applicant,
        effect.id,
        matter.number,
        since=issued.at,
        licence=issued.data["licence"],
        licence_office=issued.data["licence_office"],
    )


async def _change_phone(ctx: Context, matter: Matter, effect: Effect) -> None:
    """The account's phone is the new one, and every login ends, WeChat too: who has the old phone
    is out, and who was at the window binds his new WeChat by the code alone."""
    await _put_phone(ctx, matter.applicant, effect.id, matter.form["phone"])


async def _put_phone(ctx: Context, key: str, effect_id: str, phone: str) -> None:
    before = await ctx.stores.sessions.get(key)
    if before is None:
        return  # no account, or a closed one, whose phone is kept no more
    if await ctx.stores.sessions.change_phone(key, effect_id, phone):
        await wechat_bindings.drop_named(ctx, before)
    ctx.recent.forget_logins(key)


async def _release_enrolment(ctx: Context, matter: Matter, effect: Effect) -> None:
    """The person may be enrolled anew."""
    await ctx.stores.enrolments.release(matter.applicant, matter.number)


KINDS: Mapping[str, Apply] = {
    "take_seat": exam_effects.take_seat,
    "free_seat": exam_effects.free_seat,
    "free_booking": exam_effects.free_booking,
    "note_result": exam_effects.note_result,
    "enter_attempt": exam_effects.enter_attempt,
    "follow_record": exam_effects.follow_record,
    "release_bookings": exam_effects.release_bookings,
    "permit_student": _permit_student,
    "release_place": _release_place,
    "hold_licence": _hold_licence,
    "defer_licence": _defer_licence,
    "release_licence": _release_licence,
    "grant_face_signed": _grant_face_signed,
    "grant_student": _grant_student,
    "move_student": _move_student,
    "activate_student": _activate_student,
    "revoke_student": _revoke_student,
    "upgrade_student": _upgrade_student,
    "release_enrolment": _release_enrolment,
    "change_phone": _change_phone,
}
"""Every kind of effect a catalogue file may name."""
