"""A matter through the API: draft, form, photos, submission, progress, urging, withdrawing."""

from concurrent.futures import ThreadPoolExecutor

from tests.api import pictures
from tests.support.citizens import Citizen, Town

FORM = {"reason": "出国", "until": "2027年12月1日"}


def filled(citizen: Citizen, number: str) -> None:
    """Everything a submission needs."""
    done = citizen.call("PATCH", f"/matters/{number}", {"form": FORM})
    assert done.status == 200, done.body
    for material in ("id_card", "reason_proof"):
        done = citizen.upload(number, {"material": material, "photo": pictures.jpeg()})
        assert done.status == 201, done.body


def test_a_matter_from_draft_to_withdrawal(draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    view = citizen.call("GET", f"/matters/{number}").json()
    assert view["state"] == "draft" and "submit" in view["actions"]
    assert {d["part"] for d in view["missing"]} >= {"material:id_card", "field:until"}
    assert view["consent_templates"]

    early = citizen.call("POST", f"/matters/{number}/submit")
    assert (early.status, early.code) == (422, "materials-missing")

    filled(citizen, number)
    view = citizen.call("POST", f"/matters/{number}/submit").json()
    assert view["state"] == "submitted" and view["due"].endswith("Z")
    assert view["form"] == {"reason": "abroad", "until": "2027-12-01"}
    assert "withdraw" in view["actions"] and "fill" not in view["actions"]

    assert citizen.call("POST", f"/matters/{number}/urge").status == 200
    again = citizen.call("POST", f"/matters/{number}/urge")
    assert (again.status, again.code) == (409, "urged-already")

    view = citizen.call("DELETE", f"/matters/{number}").json()
    assert view["state"] == "withdrawn" and view["actions"] == []
    late = citizen.call("POST", f"/matters/{number}/submit")
    assert (late.status, late.code) == (409, "step-not-possible")
    assert [e["type"] for e in view["timeline"]] == ["created", "submitted", "urged", "withdrawn"]
    assert citizen.call("GET", "/notices").json()[0]["matter"] == number


def test_bad_values_are_named_and_none_is_saved(draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    refused = citizen.call(
        "PATCH", f"/matters/{number}", {"form": {"reason": "出国", "until": "某一天"}}
    )
    assert (refused.status, refused.code) == (422, "form-incomplete")
    assert [f["part"] for f in refused.json()["params"]["fields"]] == ["field:until"]
    assert citizen.call("GET", f"/matters/{number}").json()["form"] == {}


def test_a_condition_of_the_service_refuses(draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    refused = citizen.call("PATCH", f"/matters/{number}", {"form": {"until": "2035-01-01"}})
    assert (refused.status, refused.code) == (422, "deferral-too-long")


def test_the_same_key_begins_one_draft_and_submits_once(town: Town) -> None:
    citizen = town.face_signed()
    wish = {"service": "licence-deferral"}
    first = citizen.call("POST", "/matters", wish, key="draft-key-1").json()
    second = citizen.call("POST", "/matters", wish, key="draft-key-1").json()
    assert first == second
    number = first["number"]
    filled(citizen, number)
    path = f"/matters/{number}/submit"
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: citizen.call("POST", path, key="submit-key"), range(4)))
    assert [r.status for r in replies] == [200] * 4
    events = citizen.call("GET", f"/matters/{number}").json()["timeline"]
    assert [e["type"] for e in events] == ["created", "submitted"]
    assert citizen.call("GET", "/matters").json()[0]["number"] == number


def test_one_key_never_stands_for_two_steps(draft: tuple[Citizen, str]) -> None:
    citizen, number = draft
    path = f"/matters/{number}"
    filling = citizen.call("PATCH", path, {"form": {"reason": "出国"}}, key="one-and-only")
    assert filling.json()["form"] == {"reason": "abroad"}
    other = citizen.call("PATCH", path, {"form": {"reason": "服兵役"}}, key="one-and-only")
    assert other.json()["form"] == {"reason": "military"}
    assert citizen.call("DELETE", path, key="one-and-only").json()["state"] == "withdrawn"


def test_the_same_key_of_two_citizens_begins_two_matters(town: Town) -> None:
    one, other = town.face_signed(), town.face_signed()
    wish = {"service": "licence-deferral"}
    numbers = {
        c.call("POST", "/matters", wish, key="same-key-for-both").json()["number"]
        for c in (one, other)
    }
    assert len(numbers) == 2


def test_another_citizens_matter_is_as_unknown_as_none(
    draft: tuple[Citizen, str], signed: Citizen
) -> None:
    owner, number = draft
    uploaded = owner.upload(number, {"material": "id_card", "photo": pictures.jpeg()}).json()
    photo = next(m for m in uploaded["materials"] if m["photos"])["photos"][0]["id"]
    missing = "000000000000"
    picture = {"material": "id_card", "photo": pictures.jpeg()}

    def answers(matter: str) -> list[tuple[int, dict[str, object]]]:
        path = f"/matters/{matter}"
        replies = [
            signed.call("GET", path),
            signed.call("PATCH", path, {"form": FORM}),
            signed.call("DELETE", path),
            signed.call("POST", f"{path}/submit"),
            signed.call("POST", f"{path}/urge"),
            signed.call("GET", f"{path}/photos/{photo}"),
            signed.call("DELETE", f"{path}/photos/{photo}"),
            signed.upload(matter, picture),
        ]
        return [(r.status, {**r.json(), "request_id": ""}) for r in replies]

    assert answers(number) == answers(missing)
    assert {status for status, _ in answers(number)} == {404}
    assert owner.call("GET", f"/matters/{number}").json()["version"] == uploaded["version"]


def test_without_a_bound_licence_the_refusal_says_where_to_go(town: Town) -> None:
    citizen = town.registered()
    refused = citizen.call("POST", "/matters", {"service": "licence-deferral"})
    assert refused.status == 403 and "窗口" in refused.json()["next"]
    assert citizen.call("GET", "/matters").json() == []
