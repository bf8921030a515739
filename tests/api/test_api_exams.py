"""Driving tests through the API: plans for everybody, bookings, the line, a student's record."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis import openapi as loader

import miniprogram_api
from casework import logins, steps
from casework.context import Context
from casework.exams.attending import attend, attend_due
from miniprogram_api import exams
from miniprogram_api.routing import PATH_PARAMETERS
from rules.book import load_rulebook
from rules.exams.plan import Plan, Subject
from rules.exams.publishing import code_fits
from rules.exams.site import Site
from rules.people import Actor
from rules.places import told_of_change
from tests.api.test_api_documents import CHECKS
from tests.casework.exams import learner, published
from tests.casework.inside import OFFICE
from tests.desk.town import PASSWORD
from tests.desk.town import Town as Inside
from tests.support.citizens import Citizen, Known, Town
from tests.support.web import Browser, Reply, fetch

EXAM_PATHS = ("exam-plans", "exam-sites", "exam-results", "bookings", "waiting-list")

SITE = Site(
    code="4101-K1",
    name="郑州第一考场",
    office=OFFICE,
    address="迎宾路8号",
    phone="0371-65550101",
    hours="工作日 8:00-17:00",
    subjects=(Subject.FIELD,),
    daily_capacity=240,
)
_orders = count(1)
_codes = count(1)


@pytest.fixture(scope="module")
def inside(town: Town) -> Iterator[Inside]:
    """The house from inside, beside the running service."""
    with Inside(town.house) as made:
        yield made


class Pupils:
    """Students made from inside, who use the API from outside."""

    def __init__(self, town: Town, inside: Inside) -> None:
        self.town, self.inside = town, inside

    def __call__(self, **changes: Any) -> Citizen:
        """A student with a permit and 科目一 passed, logged in."""
        order = next(_orders)

        async def work(ctx: Context) -> Citizen:
            who = await learner(ctx, order, **changes)
            login = await logins.issue(ctx, who.key, "mini", "手机")
            person = Known(who.id_number, who.name, who.phone)
            return Citizen(self.town.house, person, "", login.token)

        return self.inside.run(work)


@pytest.fixture(scope="module")
def pupils(town: Town, inside: Inside) -> Pupils:
    """Who makes students."""
    return Pupils(town, inside)


@pytest.fixture
def plan(inside: Inside) -> Iterator[Plan]:
    """A session of 科目二 with two places that nobody else uses."""
    yield _published(inside)


def _published(inside: Inside, capacity: int = 2, **changes: Any) -> Plan:
    code = f"K2-{next(_codes)}"
    return inside.run(lambda ctx: published(ctx, code, capacity=capacity, **changes))


def _book(who: Citizen, plan: Plan, key: str | None = None) -> Reply:
    return who.call("POST", "/bookings", {"plan": plan.code}, key=key)


def _wait(who: Citizen, plan: Plan, key: str | None = None) -> Reply:
    return who.call("POST", "/waiting-list", {"plan": plan.code}, key=key)


def test_anybody_finds_sessions_by_place_day_subject_and_class(
    inside: Inside, town: Town, pupils: Pupils
) -> None:
    at = {"site": "4101-K9", "site_name": "查询考场"}
    near = _published(inside, days=20, capacity=1, **at)
    far = _published(inside, days=40, **at)
    other = _published(inside, days=30, subject="3", vehicle_class="C2", **at)
    base = town.house.service_url

    def listed(query: str) -> list[str]:
        reply = fetch(base, "GET", f"/api/v1/exam-plans?{query}")
        assert reply.status == 200, reply.body
        return [p["code"] for p in reply.json()["plans"]]

    everything = [near.code, other.code, far.code]
    assert listed("site=4101-K9") == everything
    assert set(everything) <= set(listed(f"office={OFFICE}&limit=100"))
    assert set(everything) <= set(listed("region=4101&limit=100"))
    assert listed("region=4199") == [] and listed("office=nowhere") == []
    assert listed("site=4101-K9&subject=2") == [near.code, far.code]
    assert other.code in listed(f"office={OFFICE}&subject=3&vehicle_class=C2&limit=100")
    assert listed("site=4101-K9&vehicle_class=C2") == [other.code]
    days = f"from={near.day.isoformat()}&to={near.day.isoformat()}"
    assert listed(f"site=4101-K9&{days}") == [near.code]
    assert _book(pupils(), near).status == 201
    assert listed("site=4101-K9&free=true") == [other.code, far.code]

    page = fetch(base, "GET", "/api/v1/exam-plans?site=4101-K9&limit=2").json()
    assert [p["code"] for p in page["plans"]] == everything[:2]
    rest = f"/api/v1/exam-plans?site=4101-K9&limit=2&after={page['next']}"
    rest_page = fetch(base, "GET", rest).json()
    assert ([p["code"] for p in rest_page["plans"]], rest_page["next"]) == ([far.code], None)

    one = fetch(base, "GET", f"/api/v1/exam-plans/{near.code}")
    assert {k: one.json()[k] for k in ("capacity", "booked", "left", "waiting")} == {
        **{"capacity": 1, "booked": 1, "left": 0, "waiting": 0}
    }
    assert one.json()["bookable"] is False and len(one.body) < 1_000


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "plans-of-where"),
        ("?subject=2", 422, "plans-of-where"),
        ("?office=a&from=2026-01-01&to=2027-06-01", 422, "days-too-many"),
        ("?office=a&from=2026-06-02&to=2026-06-01", 422, "days-too-many"),
        ("?office=a&from=yesterday", 422, "form-incomplete"),
        ("?office=a&from=9999-12-31", 422, "form-incomplete"),
        ("?office=a&subject=5", 422, "form-incomplete"),
        ("?office=a&limit=1000", 422, "form-incomplete"),
        ("/no-such-plan", 404, "plan-unknown"),
    ],
)
def test_a_bad_question_is_told_what_is_wrong(
    town: Town, query: str, status: int, code: str
) -> None:
    reply = fetch(town.house.service_url, "GET", f"/api/v1/exam-plans{query}")
    assert (reply.status, reply.code) == (status, code)


def test_a_booking_is_made_followed_and_cancelled(pupils: Pupils, plan: Plan) -> None:
    who = pupils()
    made = _book(who, plan)
    view = made.json()
    path = f"/bookings/{view['number']}"
    assert (made.status, made.headers["Location"]) == (201, f"/api/v1{path}")
    assert (view["state"], view["actions"]) == ("accepted", ["cancel"])
    assert view["told_by"] < f"{plan.day.isoformat()}T00:00:00Z" and view["offer_until"] is None
    assert view["cancel_online_until"] < view["told_by"]
    assert [e["type"] for e in view["timeline"]] == ["applied", "accepted"]
    assert who.call("GET", path).json()["notices"][0]["title"] == "驾驶人考试预约"

    second = _book(who, plan)
    assert (second.status, second.code) == (409, "already-booked")
    assert second.json()["params"]["number"] == view["number"]

    cancelled = who.call("DELETE", path)
    assert (cancelled.status, cancelled.json()["state"]) == (200, "withdrawn")
    again = who.call("DELETE", path)
    assert (again.status, again.code) == (409, "step-not-possible")
    new = _book(who, plan).json()
    listed = who.call("GET", "/bookings").json()
    assert [(b["number"], b["live"]) for b in listed] == [
        (new["number"], True),
        (view["number"], False),
    ]
    assert "timeline" not in listed[0]


def test_the_same_key_is_answered_alike_when_the_plan_is_full_and_the_booking_over(
    pupils: Pupils, plan: Plan
) -> None:
    one, two, three = pupils(), pupils(), pupils()
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _: _book(one, plan, "first-booking"), range(6)))
    numbers = {r.json()["number"] for r in replies}
    assert {r.status for r in replies} == {201} and len(numbers) == 1
    assert _book(two, plan).status == 201
    full = _book(three, plan)
    assert (full.status, full.code) == (409, "plan-full")
    number = numbers.pop()
    assert _book(one, plan, "first-booking").json()["number"] == number
    gone = [one.call("DELETE", f"/bookings/{number}", key="cancel-it-1") for _ in range(2)]
    assert [(g.status, g.json()["state"]) for g in gone] == [(200, "withdrawn")] * 2
    late = _book(one, plan, "first-booking")
    assert (late.status, late.json()["number"], late.json()["state"]) == (201, number, "withdrawn")
    assert _book(three, plan).status == 201


def test_the_line_is_joined_offered_accepted_declined_and_left(
    pupils: Pupils, inside: Inside
) -> None:
    plan = _published(inside, capacity=1)
    holder, first, second, third = (pupils() for _ in range(4))
    held = _book(holder, plan).json()["number"]
    places = [_wait(who, plan) for who in (first, second, third)]
    assert [(p.status, p.json()["state"]) for p in places] == [(201, "waiting")] * 3
    assert [p.json()["position"] for p in places] == [1, 2, 3]
    paths = [f"/waiting-list/{p.json()['number']}" for p in places]
    early = first.call("POST", f"{paths[0]}/accept")
    assert (early.status, early.code) == (409, "offer-not-yet")
    stranger = second.call("POST", f"{paths[0]}/accept")
    assert (stranger.status, stranger.code) == (404, "not-found")

    holder.call("DELETE", f"/bookings/{held}")
    jumping = _book(holder, plan)
    assert (jumping.status, jumping.code) == (409, "plan-full")
    inside.run(attend_due)
    offered = first.call("GET", paths[0]).json()
    assert (offered["state"], offered["actions"]) == ("offered", ["accept", "leave"])
    assert offered["offer_until"] < offered["told_by"] and offered["position"] is None
    declined = first.call("DELETE", paths[0])
    assert (declined.status, declined.json()["state"]) == (200, "withdrawn")

    inside.run(attend_due)
    assert third.call("GET", paths[2]).json()["position"] == 1
    taken = [second.call("POST", f"{paths[1]}/accept", key="i-take-it") for _ in range(2)]
    assert [(t.status, t.json()["state"]) for t in taken] == [(200, "accepted")] * 2
    # A place accepted is not lost by leaving the line late.
    late = second.call("DELETE", paths[1])
    assert (late.status, late.code) == (409, "step-not-possible")
    assert second.call("GET", f"/bookings/{places[1].json()['number']}").json()["actions"] == [
        "cancel"
    ]
    left = third.call("DELETE", paths[2])
    assert (left.status, left.json()["state"]) == (200, "withdrawn")


def test_who_waits_for_a_session_that_is_not_full_has_a_place(pupils: Pupils, plan: Plan) -> None:
    reply = _wait(pupils(), plan)
    assert (reply.status, reply.json()["state"]) == (201, "accepted")


def test_a_place_accepted_by_a_request_that_was_cut_off_is_his(
    pupils: Pupils, inside: Inside
) -> None:
    """The plan's document gave him the place, the worker took the step: asking again succeeds."""
    plan = _published(inside, capacity=1)
    holder, waiter = pupils(), pupils()
    held, number = _book(holder, plan).json()["number"], _wait(waiter, plan).json()["number"]
    holder.call("DELETE", f"/bookings/{held}")
    inside.run(attend_due)

    async def cut_off(ctx: Context) -> None:
        subject = (await steps.load(ctx, number)).matter.subject
        await steps.take(ctx, number, "accept", Actor("citizen", subject), "worker")

    inside.run(cut_off)
    reply = waiter.call("POST", f"/waiting-list/{number}/accept")
    assert (reply.status, reply.json()["state"]) == (200, "accepted")


def test_a_change_of_the_plan_is_accepted_once(pupils: Pupils, inside: Inside) -> None:
    plan = _published(inside)
    who = pupils()
    number = _book(who, plan).json()["number"]
    nothing = who.call("POST", f"/bookings/{number}/accept-change")
    assert (nothing.status, nothing.code) == (409, "step-not-possible")

    async def later(ctx: Context) -> None:
        moved = {"starts": "14:00", "ends": "16:00"}
        await ctx.stores.exam_places.change(plan.code, told_of_change, ctx.now(), moved)
        await attend(ctx, plan.code)

    inside.run(later)
    view = who.call("GET", f"/bookings/{number}").json()
    assert (view["changed"], view["starts"]) == (True, "14:00")
    assert set(view["actions"]) == {"cancel", "accept_change"}
    kept = [
        who.call("POST", f"/bookings/{number}/accept-change", key="i-keep-it") for _ in range(2)
    ]
    assert [(k.status, k.json()["changed"]) for k in kept] == [(200, False)] * 2


def test_after_the_closing_only_the_office_cancels(pupils: Pupils, inside: Inside) -> None:
    who = pupils()

    async def closing(ctx: Context) -> Plan:
        soon = ctx.now() + timedelta(seconds=2)
        return await published(ctx, f"K2-{next(_codes)}", closes_at=soon)

    plan = inside.run(closing)
    number = _book(who, plan).json()["number"]
    while who.call("GET", f"/exam-plans/{plan.code}").json()["status"] != "closed":
        time.sleep(0.2)
    inside.run(attend_due)
    view = who.call("GET", f"/bookings/{number}").json()
    assert (view["state"], view["actions"]) == ("confirmed", [])
    refused = who.call("DELETE", f"/bookings/{number}")
    assert (refused.status, refused.code) == (409, "cancel-at-office")
    assert "窗口" in refused.json()["next"]
    other = pupils()
    for reply in (_book(other, plan), _wait(other, plan)):
        assert (reply.status, reply.code) == (409, "plan-closed")


def test_who_is_no_student_is_told_what_is_missing_and_where(town: Town, plan: Plan) -> None:
    for who in (town.face_signed(), town.registered()):
        asked = (_book(who, plan), _wait(who, plan), who.call("GET", "/exam-results"))
        for reply in asked:
            params = reply.json()["params"]
            assert (reply.status, reply.code) == (403, "not-allowed-tier")
            assert params["missing"] == ["student"]
            assert {o["kind"] for o in params["offices"]} <= {"vehicle_office", "driving_school"}
            assert params["offices"]
        assert who.call("GET", "/bookings").json() == []
    nobody = fetch(
        town.house.service_url, "POST", "/api/v1/bookings", b"{}", {"Idempotency-Key": "12345678"}
    )
    assert (nobody.status, nobody.code) == (401, "not-logged-in")


def test_a_clerk_of_a_school_gets_nowhere(town: Town, inside: Inside, plan: Plan) -> None:
    """A school's login is one of the desk: it opens no address of the API."""
    clerk = Browser(town.house.service_url)
    clerk.open("/desk/login")
    clerk.send("/desk/login", {"username": "liu", "password": PASSWORD})
    cookie = "; ".join(f"{name}={value}" for name, value in clerk.cookies.items())
    assert "desk_session" in cookie
    headers = {"Cookie": cookie, "Idempotency-Key": "0123456789"}
    body = f'{{"plan":"{plan.code}"}}'.encode()
    for path in ("/bookings", "/waiting-list"):
        reply = fetch(town.house.service_url, "POST", f"/api/v1{path}", body, headers)
        assert (reply.status, reply.code) == (401, "not-logged-in")


def test_another_class_another_office_and_an_unknown_plan_are_refused(
    pupils: Pupils, inside: Inside
) -> None:
    who = pupils()
    plans = {
        "exam-other-class": _published(inside, vehicle_class="C2").code,
        "exam-other-office": _published(inside, office="4106-VO").code,
        "plan-unknown": "no-such-plan",
    }
    for code, wanted in plans.items():
        reply = who.call("POST", "/bookings", {"plan": wanted})
        assert reply.code == code and reply.json()["next"]


def test_hammering_is_held_up(pupils: Pupils, plan: Plan) -> None:
    who = pupils()
    codes = [_book(who, plan).status for _ in range(12)]
    assert codes[0] == 201 and 429 in codes and set(codes) <= {201, 409, 429}


def test_a_booking_of_another_is_as_unknown_as_none(pupils: Pupils, plan: Plan) -> None:
    owner, other = pupils(), pupils()
    number = _book(owner, plan).json()["number"]

    def answers(wanted: str) -> list[tuple[int, dict[str, Any]]]:
        replies = [
            other.call("GET", f"/bookings/{wanted}"),
            other.call("DELETE", f"/bookings/{wanted}"),
            other.call("POST", f"/bookings/{wanted}/accept-change"),
            other.call("GET", f"/waiting-list/{wanted}"),
            other.call("DELETE", f"/waiting-list/{wanted}"),
            other.call("POST", f"/waiting-list/{wanted}/accept"),
            other.call("GET", f"/matters/{wanted}"),
            other.call("DELETE", f"/matters/{wanted}"),
        ]
        return [(r.status, {**r.json(), "request_id": ""}) for r in replies]

    assert answers(number) == answers("000000000000")
    assert {status for status, _ in answers(number)} == {404}


def test_a_booking_is_a_matter_among_the_others(pupils: Pupils, plan: Plan) -> None:
    who = pupils()
    number = _book(who, plan).json()["number"]
    listed = who.call("GET", "/matters").json()
    assert (listed[0]["number"], listed[0]["service"]) == (number, "exam-booking")
    view = who.call("GET", f"/matters/{number}").json()
    assert (view["actions"], view["missing"]) == (["cancel"], [])
    assert view["next_step"] and view["form"]["plan"] == plan.code
    for reply in (
        who.call("DELETE", f"/matters/{number}"),
        who.call("POST", f"/matters/{number}/submit"),
        who.call("POST", f"/matters/{number}/urge"),
        who.call("PATCH", f"/matters/{number}", {"form": {"plan": "another"}}),
    ):
        assert (reply.status, reply.code) == (409, "step-not-possible")
    begun = who.call("POST", "/matters", {"service": "exam-booking"})
    assert (begun.status, begun.code) == (422, "booked-in-plan")
    assert begun.json()["params"]["address"] == "/bookings"


def test_the_record_and_the_public_sums_say_what_became_of_it(
    pupils: Pupils, inside: Inside, town: Town
) -> None:
    at = {"site": "4101-K8", "site_name": "成绩考场"}
    plan = _published(inside, days=0, **at)
    passing, failing = pupils(), pupils()
    record = passing.call("GET", "/exam-results").json()
    assert record["permit_issued_on"] and record["attempts"][0]["outcome"] == "passed"
    assert passing.call("GET", "/exam-results").status == 200

    async def results(ctx: Context) -> None:
        await ctx.stores.exam_plans.note_result(plan.code, "1", "passed", 1)
        await ctx.stores.exam_plans.note_result(plan.code, "2", "passed", 1)
        await ctx.stores.exam_plans.note_result(plan.code, "3", "failed", 1)
        await ctx.stores.exam_plans.note_result(plan.code, "4", "missed", 1)

    inside.run(results)
    assert failing.call("GET", f"/exam-plans/{plan.code}").json()["outcomes"] == {
        **{"passed": 2, "failed": 1, "missed": 1}
    }
    base = town.house.service_url
    reply = fetch(base, "GET", "/api/v1/exam-results/summary?site=4101-K8")
    assert reply.headers["Cache-Control"].startswith("public")
    figures = {
        **{"sessions": 1, "capacity": 2, "booked": 0, "passed": 2, "failed": 1, "missed": 1},
        "pass_rate": 66.7,
    }
    summary = reply.json()
    assert summary["total"] == figures
    (row,) = summary["rows"]
    assert {k: row[k] for k in figures} == figures
    assert (row["month"], row["site_name"]) == (plan.day.isoformat()[:7], "成绩考场")
    nowhere = fetch(base, "GET", "/api/v1/exam-results/summary")
    assert (nowhere.status, nowhere.code) == (422, "plans-of-where")


def test_the_answers_fit_their_schemas(pupils: Pupils, inside: Inside, plan: Plan) -> None:
    document = miniprogram_api.openapi_document(load_rulebook())
    who = pupils()
    number = _book(who, plan).json()["number"]
    inside.run(lambda ctx: ctx.stores.exam_sites.upsert([SITE]))
    asked = {
        "/exam-sites": f"/exam-sites?office={OFFICE}",
        "/exam-plans": f"/exam-plans?office={OFFICE}",
        "/exam-plans/{plan}": f"/exam-plans/{plan.code}",
        "/exam-results/summary": f"/exam-results/summary?office={OFFICE}",
        "/exam-results": "/exam-results",
        "/bookings": "/bookings",
        "/bookings/{number}": f"/bookings/{number}",
        "/waiting-list/{number}": f"/waiting-list/{number}",
    }
    for path, address in asked.items():
        reply = who.call("GET", address)
        assert reply.status == 200 and reply.json(), address
        answer = document["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]
        schema = answer["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        jsonschema.Draft202012Validator(whole).validate(reply.json())


def test_a_session_is_found_by_whatever_code_a_file_may_give_it(inside: Inside, town: Town) -> None:
    code = "K_2-under_line"
    assert code_fits(code)
    inside.run(lambda ctx: published(ctx, code))
    reply = fetch(town.house.service_url, "GET", f"/api/v1/exam-plans/{code}")
    assert (reply.status, reply.json()["code"]) == (200, code)


def test_the_exam_addresses_are_described_with_examples() -> None:
    document = miniprogram_api.openapi_document(load_rulebook())
    described = {
        path: methods
        for path, methods in document["paths"].items()
        if path.split("/")[3] in EXAM_PATHS
    }
    assert len(described) >= len(EXAM_PATHS)
    bare = [
        f"{path} {parameter['name']}"
        for path, methods in described.items()
        for operation in methods.values()
        for parameter in operation["parameters"]
        if parameter["in"] == "path" and "examples" not in parameter["schema"]
    ]
    assert bare == []
    wanted = document["components"]["schemas"]["Wanted"]["properties"]["plan"]
    pattern = PATH_PARAMETERS["plan"].pattern
    assert all(re.fullmatch(pattern, code) and code_fits(code) for code in wanted["examples"])


def test_every_rule_of_booking_is_among_the_declared_refusals() -> None:
    rules = {c for c in load_rulebook().texts.refusal_codes() if c.startswith("exam-")}
    assert rules and rules <= set(exams.CONDITIONS)


def test_random_requests_of_a_student_are_answered_as_documented(
    pupils: Pupils, plan: Plan
) -> None:
    schema = loader.from_dict(miniprogram_api.openapi_document(load_rulebook()))
    who = pupils()
    schema.config.update(base_url=who.house.service_url)
    codes = strategies.sampled_from([plan.code, "no-such-plan", ""])
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.split("/")[3] not in EXAM_PATHS:
            continue
        tried += 1

        @settings(
            max_examples=15,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), code=codes)
        def hold(case: Any, code: str) -> None:
            if isinstance(case.body, dict) and "plan" in case.body:
                case.body = {**case.body, "plan": code}
            headers = {"Authorization": f"Bearer {who.token}"}
            case.call_and_validate(headers=headers, checks=CHECKS)

        hold()
    assert tried == 14


def test_no_refusal_was_answered_that_is_not_declared(town: Town) -> None:
    log = (town.house.folder / "service-1.log").read_text()
    assert "refusal-undeclared" not in log and "unexpected-error" not in log
