"""Changing one's phone at a window: which office may, and what the record keeps.

The announcement of 2016 sends who does not match to the window, in person, with the original card.
Who holds a licence or vehicle goes to the offices that hold it; that anybody else may go to any
police station or vehicle office of his city is the platform's own setting.
"""

from collections.abc import Mapping
from typing import Any

from rules.facesign import signing_offices
from rules.facts import Facts, Office
from rules.refusals import Refusal
from rules.regions import Regions, contains
from rules.requests import Request

_KINDS = frozenset({"vehicle_office", "police_station"})
_CITY = 4


def may_change_at(office: Office, facts: Facts, regions: Regions) -> bool:
    """Whether this office may change the phone of the person the facts are about."""
    holders = signing_offices(facts)
    if holders:
        return office.code in holders
    if office.kind not in _KINDS:
        return False
    home = facts.region
    if home is None or regions.of_code(home) is None:
        # Registered in another province: no office of ours is nearer to him than another.
        return True
    return contains(office.region[:_CITY], home)


def change(request: Request) -> Mapping[str, Any] | Refusal:
    """The new phone, proved by its code at the counter; the former one is told of it."""
    facts, given = request.facts, request.given
    office = facts.offices.get(request.actor.office or "")
    if office is None or not may_change_at(office, facts, request.book.regions):
        holders = sorted(signing_offices(facts))
        offices = [facts.offices[code] for code in holders if code in facts.offices]
        return Refusal("wrong-contact-office", offices=offices)
    if given["phone"] == given["before"]:
        return Refusal("phone-unchanged")
    return {
        "applicant": given["applicant"],
        "subject": given["subject"],
        "office": office.code,
        "form": {n: given[n] for n in ("id_number", "name", "phone")},
        "before": given["before"],
    }
