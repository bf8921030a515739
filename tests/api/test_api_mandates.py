"""Mandates through the API: a relative acts, is told, and is kept out again; third parties get
nothing."""

from datetime import date, timedelta
from typing import Any

from casework.askers import asker_logged_in
from casework.context import Context
from casework.delivery import deliver_due
from tests.api import pictures
from tests.api.test_api_matters import FORM
from tests.support.citizens import OFFICE, Citizen, Town
from tests.support.known_codes import CODE, forget_limits, lay_code
from tests.support.story import look
from tests.support.web import fetch

SERVICE = "licence-deferral"


def wish(agent: Citizen, **changes: Any) -> dict[str, Any]:
    """A mandate for licence business for a month."""
    return {
        "agent_id_number": agent.person.id_number,
        "agent_name": agent.person.name,
        "relation": "child",
        "businesses": ["licence"],
        "until": (date.today() + timedelta(days=30)).isoformat(),
        "sms_code": CODE,
        **changes,
    }


def know_code(town: Town, principal: Citizen) -> None:
    """The code that confirms a mandate, without the minute between two codes."""

    async def lay(ctx: Context) -> None:
        key = ctx.stores.vault.id_key(principal.person.id_number)
        asker = asker_logged_in(ctx, key)
        await lay_code(ctx, "mandate", principal.person.id_number, asker)

    look(town.house, lay)


def given(town: Town, principal: Citizen, agent: Citizen, **changes: Any) -> dict[str, Any]:
    """A mandate offered."""
    know_code(town, principal)
    reply = principal.call("POST", "/mandates", wish(agent, **changes))
    assert reply.status == 201, reply.body
    view: dict[str, Any] = reply.json()
    return view


def accepted(town: Town, principal: Citizen, agent: Citizen) -> str:
    """A live mandate's id."""
    grant = str(given(town, principal, agent)["id"])
    assert agent.call("POST", f"/mandates/{grant}/accept").json()["standing"] == "live"
    return grant


def texts(town: Town, citizen: Citizen) -> list[str]:
    """Every SMS on a phone after the worker has done what was due."""
    look(town.house, deliver_due)
    path = f"/sandbox/phones/{citizen.person.phone}/sms"
    return [sms["text"] for sms in fetch(town.house.sandbox_url, "GET", path).json()]


def test_a_relative_acts_until_the_mandate_is_revoked(town: Town) -> None:
    principal, agent = town.face_signed(), town.registered()
    options = principal.call("GET", "/mandates").json()["options"]
    assert SERVICE in [s["value"] for s in options["services"]]
    offer = given(town, principal, agent)
    assert (offer["standing"], offer["actions"]) == ("offered", ["end"])
    assert any("等您确认" in text for text in texts(town, agent))
    (seen,) = agent.call("GET", "/mandates").json()["received"]
    assert seen["principal"] == principal.person.name and seen["actions"] == ["accept", "end"]
    early = agent.call("POST", "/matters", {"service": SERVICE, "mandate": offer["id"]})
    assert (early.status, early.code) == (403, "mandate-not-live")
    assert agent.call("POST", f"/mandates/{offer['id']}/accept").json()["standing"] == "live"

    begun = agent.call("POST", "/matters", {"service": SERVICE, "mandate": offer["id"]})
    assert begun.status == 201, begun.body
    number = begun.json()["number"]
    assert begun.json()["acting"]["mandate"] == offer["id"]
    assert agent.call("PATCH", f"/matters/{number}", {"form": FORM}).status == 200
    for material in ("id_card", "reason_proof", "agent_id_card"):
        done = agent.upload(number, {"material": material, "photo": pictures.jpeg()})
        assert done.status == 201, done.body
    submitted = agent.call("POST", f"/matters/{number}/submit")
    assert submitted.json()["state"] == "submitted", submitted.body
    for who in (principal, agent):
        (line,) = [m for m in who.call("GET", "/matters").json() if m["number"] == number]
        assert line["acting"]["agent"].startswith(agent.person.name[0])
        assert any(number in text for text in texts(town, who))

    page = town.desk(OFFICE).open(f"/desk/matters/{number}").body.decode()
    assert "代理人" in page and agent.person.id_number in page
    assert principal.person.id_number in page

    revoked = principal.call("DELETE", f"/mandates/{offer['id']}").json()
    assert revoked["standing"] == "revoked"
    assert any("委托人已撤销" in text for text in texts(town, agent))
    for reply in (
        agent.call("GET", f"/matters/{number}"),
        agent.call("DELETE", f"/matters/{number}"),
        agent.call("POST", f"/matters/{number}/urge"),
    ):
        assert (reply.status, reply.code) == (404, "not-found")
    assert number not in [m["number"] for m in agent.call("GET", "/matters").json()]
    view = principal.call("DELETE", f"/matters/{number}").json()
    assert view["state"] == "withdrawn"
    events = [(e["type"], e["actor"]) for e in view["timeline"]]
    assert events == [
        ("created", "代理人"),
        ("submitted", "代理人"),
        ("agent_parted", "系统"),
        ("withdrawn", "申请人"),
    ]


def test_third_parties_reach_nothing_by_a_mandate(town: Town) -> None:
    principal, agent, third = town.face_signed(), town.registered(), town.face_signed()
    grant = accepted(town, principal, agent)
    number = agent.call("POST", "/matters", {"service": SERVICE, "mandate": grant}).json()["number"]
    for reply in (
        third.call("GET", f"/mandates/{grant}"),
        third.call("POST", f"/mandates/{grant}/accept"),
        third.call("DELETE", f"/mandates/{grant}"),
        third.call("GET", f"/matters/{number}"),
        third.call("PATCH", f"/matters/{number}", {"form": FORM}),
        third.call("POST", f"/matters/{number}/submit"),
        third.call("DELETE", f"/matters/{number}"),
        third.upload(number, {"material": "id_card", "photo": pictures.jpeg()}),
    ):
        assert (reply.status, reply.code) == (404, "not-found"), reply.body
    taken = third.call("POST", "/matters", {"service": SERVICE, "mandate": grant})
    assert (taken.status, taken.code) == (403, "mandate-not-live")
    mine = third.call("GET", "/mandates").json()
    assert (mine["given"], mine["received"]) == ([], [])
    assert third.call("GET", "/matters").json() == [
        m for m in third.call("GET", "/matters").json() if m["service"] == "register-face-sign"
    ]
    stranger = town.somebody()
    assert stranger.call("GET", "/mandates").status == 401


def test_the_answer_does_not_tell_who_is_registered(town: Town) -> None:
    principal, agent, nobody = town.registered(), town.registered(), town.somebody()
    misnamed = town.registered()
    answers = []
    for one, changes in (
        (agent, {}),
        (nobody, {}),
        (misnamed, {"agent_name": "欧阳测测"}),
    ):
        view = given(town, principal, one, **changes)
        for name in ("id", "agent", "given_at", "answer_by", "timeline"):
            view.pop(name)
        answers.append(view)
    assert answers[0] == answers[1] == answers[2]
    assert len(agent.call("GET", "/mandates").json()["received"]) == 1
    assert misnamed.call("GET", "/mandates").json()["received"] == []
    assert not any("代办委托" in text for text in texts(town, misnamed))
    nobody.register()
    assert len(nobody.call("GET", "/mandates").json()["received"]) == 1


def test_a_mandate_is_confirmed_by_a_code_to_the_principals_own_phone(town: Town) -> None:
    principal, agent = town.registered(), town.registered()
    refused = principal.call("POST", "/mandates", wish(agent))
    assert (refused.status, refused.code) == (422, "code-expired")
    look(town.house, lambda ctx: forget_limits(ctx, town.house.database))
    sent = principal.call("POST", "/mandates/sms-codes")
    assert sent.status == 200 and sent.json()["minutes"] == 5
    # The gateway sends a phone one code a minute, and it has just sent the one for registering.
    know_code(town, principal)
    refused = principal.call("POST", "/mandates", wish(agent, sms_code="111111"))
    assert (refused.status, refused.code) == (422, "code-wrong")
    done = principal.call("POST", "/mandates", wish(agent), key="mandate-key-1")
    assert done.status == 201, done.body
    again = principal.call("POST", "/mandates", wish(agent), key="mandate-key-1")
    assert again.json() == done.json()
    twice = principal.call("POST", "/mandates", wish(agent))
    assert (twice.status, twice.code) == (409, "mandate-under-way")
    itself = principal.call("POST", "/mandates", wish(principal))
    assert (itself.status, itself.code) == (422, "mandate-to-oneself")
