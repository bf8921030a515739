"""Face-signing (面签): which office may sign whom up, and what its event records (REQ A4)."""

from collections.abc import Mapping
from typing import Any

from rules.facts import Facts
from rules.refusals import Refusal
from rules.requests import Request


def right_office(request: Request) -> Mapping[str, Any] | Refusal:
    """Face-signing: only the office that issued the licence or registered a vehicle (REQ A4). A
    phone other than the one known before (``before``) is ``proved`` by a code sent to it."""
    facts, office = request.facts, request.actor.office
    if signing_offices(facts).isdisjoint({office}):
        codes = sorted(signing_offices(facts))
        known = (facts.offices.get(code) for code in codes)
        return Refusal("wrong-office", office="、".join(o.name for o in known if o))
    given = request.given
    moved = given["before"] not in ("", given["phone"])
    if moved and not given["proved"]:
        return Refusal("phone-not-proved")
    bound = facts.licence is not None
    return {
        "applicant": given["applicant"],
        "subject": given["subject"],
        "office": office,
        "name": given["name"],
        "id_number": given["id_number"],
        "phone": given["phone"],
        "before": given["before"] if moved else "",
        "licence": facts.licence.number if bound and facts.licence else None,
        "licence_office": facts.licence.issuing_office if bound and facts.licence else None,
        "vehicles": [v.plate for v in facts.vehicles],
        "photos": list(given.get("photos", ())),
        "compared_with": given.get("compared_with", "card"),
    }


def signing_offices(facts: Facts) -> frozenset[str]:
    """The offices that may sign this person up: licence issued there, or a vehicle registered."""
    offices = {v.registering_office for v in facts.vehicles}
    if facts.licence is not None:
        offices.add(facts.licence.issuing_office)
    return frozenset(offices)
