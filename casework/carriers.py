"""What carries notices: matters and mandates, each with its readers and its words.

Delivery knows nothing of what a document is about. It is handed a ``Carrier``: the notices as
read, a way to write one, whom each is for, and what it says on each channel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from casework.context import Context
from casework.numbers import is_number
from rules.acting import reader_of
from rules.calendar import HOUSE_ZONE
from rules.mandates import Mandate
from rules.matter import Event, Matter
from rules.messages import mandate_sms_params, sms_params, subscribe_data
from rules.notices import Notice
from storage.mandates import StoredMandate
from storage.matter_documents import StoredMatter
from storage.session_documents import Session


@dataclass(frozen=True)
class Sms:
    """An SMS to be: the gateway's template and its parameters."""

    template: str
    params: Mapping[str, str]


@dataclass(frozen=True)
class Push:
    """The fields of a subscribe message, and the mini-program's page it opens."""

    data: Mapping[str, str]
    page: str


@dataclass(frozen=True)
class Reader:
    """Whom a notice is for: his account, if he has one, and the phone that reaches him."""

    session: Session | None
    phone: str


_NOBODY = Reader(None, "")


class Carrier(Protocol):
    """A document with the notices it owes, as read."""

    @property
    def notices(self) -> Mapping[str, Notice]:
        """Its notices by id."""

    async def save(self, ctx: Context, notice: Notice) -> bool:
        """Write one notice's new state; False when another delivery wrote since this was read."""

    async def reader(self, ctx: Context, notice: Notice) -> Reader:
        """Whom a notice is for; without a phone when nobody can be reached."""

    async def sms(self, ctx: Context, notice: Notice) -> Sms:
        """The notice as an SMS."""

    def push(self, ctx: Context, notice: Notice) -> Push:
        """The notice as a subscribe message."""


@dataclass(frozen=True)
class MatterCarrier:
    """A matter tells who applied and whom it is about."""

    stored: StoredMatter

    @property
    def notices(self) -> Mapping[str, Notice]:
        """Its notices by id."""
        return self.stored.notices

    @property
    def matter(self) -> Matter:
        """The matter itself."""
        return self.stored.matter

    async def save(self, ctx: Context, notice: Notice) -> bool:
        """Conditional on the matter's ``notice_rev``."""
        return await ctx.stores.matters.save_notice(self.stored, notice)

    async def reader(self, ctx: Context, notice: Notice) -> Reader:
        """The audience's account; of whom it is about and who has none yet, the phone given with
        the matter; the phone alone of who had it before."""
        if notice.audience == "former":
            return Reader(None, str(self.matter.timeline[0].data["before"]))
        key = reader_of(self.matter, notice.audience)
        session = await ctx.stores.sessions.get(key)
        if session is not None:
            return Reader(session, session.phone)
        own = key == self.matter.subject
        return Reader(None, self.matter.form.get("phone", "")) if own else _NOBODY

    async def sms(self, ctx: Context, notice: Notice) -> Sms:
        """With the office that decides."""
        texts, service = ctx.book.texts, ctx.book.catalogue[self.matter.service]
        office = await ctx.office(self.matter.office)
        params = sms_params(texts, service, self.matter, notice.template, office)
        return Sms(texts.sms_template(notice.template), params)

    def push(self, ctx: Context, notice: Notice) -> Push:
        """Opens the matter's page."""
        texts, service = ctx.book.texts, ctx.book.catalogue[self.matter.service]
        at = notice_time(self.matter, notice)
        data = subscribe_data(texts, service, self.matter, notice.template, at)
        return Push(data, f"pages/matter?no={self.matter.number}")


@dataclass(frozen=True)
class MandateCarrier:
    """A mandate tells the principal and the agent."""

    stored: StoredMandate

    @property
    def notices(self) -> Mapping[str, Notice]:
        """Its notices by id."""
        return self.stored.notices

    @property
    def mandate(self) -> Mandate:
        """The mandate itself."""
        return self.stored.mandate

    async def save(self, ctx: Context, notice: Notice) -> bool:
        """Conditional on the mandate's ``notice_rev``."""
        return await ctx.stores.mandates.save_notice(self.stored, notice)

    async def reader(self, ctx: Context, notice: Notice) -> Reader:
        """The principal; the agent only if he has an account under the name he was given: a
        mandate that names the wrong person tells nobody."""
        to_principal = notice.audience == "principal"
        key = self.mandate.principal if to_principal else self.mandate.agent
        session = await ctx.stores.sessions.get(key)
        named = _granted(self.mandate, notice).data["agent_name"]
        if session is None or not (to_principal or session.name == named):
            return _NOBODY
        return Reader(session, session.phone)

    async def sms(self, ctx: Context, notice: Notice) -> Sms:
        """With the terms of the grant it tells of: there may be a newer one."""
        terms = _granted(self.mandate, notice).data
        texts = ctx.book.texts
        return Sms(
            texts.say("mandates.sms"),
            mandate_sms_params(texts, ctx.book.catalogue, terms, notice.template, notice.audience),
        )

    def push(self, ctx: Context, notice: Notice) -> Push:
        """There is no template for it: the channel is closed from the first."""
        raise NotImplementedError(f"{notice.id} is told by SMS")


async def carrier(ctx: Context, name: str) -> Carrier | None:
    """The matter of that number or the mandate of that id."""
    if is_number(name):
        matter = await ctx.stores.matters.get(name)
        return MatterCarrier(matter) if matter else None
    mandate = await ctx.stores.mandates.get(name)
    return MandateCarrier(mandate) if mandate else None


async def due(ctx: Context, limit: int) -> list[str]:
    """Names of what has a notice to send or to settle."""
    stores, now = ctx.stores, ctx.now()
    matters = await stores.matters.with_notice_due(now, limit)
    return [*matters, *await stores.mandates.with_notice_due(now, limit)]


def carrier_of(notice_id: str) -> str:
    """The name of what a notice belongs to: its id adds the event's number and the audience."""
    return notice_id.rsplit("-", 2)[0]


def _granted(mandate: Mandate, notice: Notice) -> Event:
    """The giving that held when the notice's event happened."""
    index = next(i for i, e in enumerate(mandate.timeline) if e.id == notice.event)
    return next(e for e in reversed(mandate.timeline[: index + 1]) if e.type == "given")


def notice_time(matter: Matter, notice: Notice) -> datetime:
    """When what the notice tells of happened, in the house's zone."""
    at = next(e.at for e in matter.timeline if e.id == notice.event)
    return at.astimezone(HOUSE_ZONE)
