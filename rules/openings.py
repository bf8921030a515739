"""Why a service cannot be used on a day in a region: it opens later, or another office has it."""

from datetime import date

from rules.catalogue import Service
from rules.deadlines import say_date
from rules.refusals import Refusal
from rules.texts import Texts


def not_open(service: Service, on: date, region: str | None, texts: Texts) -> Refusal | None:
    """``service-not-open`` with the day it opens where one is planned, or who has it where it is
    closed; None when it is open. casework adds the offices (``offices``)."""
    if service.is_open(on, region):
        return None
    held = service.opening(on, region)
    opens = service.opens(on, region)
    state = where = ""
    if opens is not None:
        state = texts.say("not_open.opens", day=say_date(opens))
        where = texts.say("not_open.until_then")
    elif held is not None and held.successor:
        state = texts.say("not_open.moved", successor=held.successor)
        where = texts.say("not_open.ask_there")
    return Refusal(
        "service-not-open",
        service=service.title,
        business=service.who.business,
        state=state,
        where=where,
    )
