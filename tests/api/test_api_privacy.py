"""What is held about a citizen: the notice, agreeing to it, closing the account."""

from tests.support.citizens import OFFICE, Town
from tests.support.known_codes import CODE, lay_code
from tests.support.story import SERVICE, filled, look
from tests.support.web import fetch


def test_everyone_reads_the_notice(town: Town) -> None:
    stranger = town.somebody()
    notice = stranger.call("GET", "/privacy").json()
    assert notice["version"] == "2021-11" and "第十三条" in notice["text"]
    by_name = {row["name"]: row for row in notice["rows"]}
    assert by_name["photos"]["sensitive"] and "第二十九条" in "".join(by_name["photos"]["basis"])
    assert by_name["wechat"]["closing"] == "注销时删除"
    page = fetch(town.house.service_url, "GET", "/privacy")
    assert page.status == 200
    for row in notice["rows"]:
        assert row["label"] in page.body.decode() and row["kept"] in page.body.decode()
    assert b'href="/privacy"' in fetch(town.house.service_url, "GET", "/").body


def test_the_notice_is_agreed_to_by_version(town: Town) -> None:
    citizen = town.somebody()
    old = citizen.register(privacy_version="2015-11")
    assert old.status == 409 and old.json()["code"] == "privacy-version-outdated"
    citizen = town.registered()
    mine = citizen.call("GET", "/me").json()["privacy"]
    assert mine == {"version": None, "current": "2021-11", "newer_waits": True}
    wrong = citizen.call("POST", "/consents", {"document": "privacy", "version": "2015-11"})
    assert wrong.status == 409
    for body in ({"document": "privacy"}, {"template_id": "x"}, {"version": "2021-11"}, {}):
        assert citizen.call("POST", "/consents", body).json()["code"] == "bad-request"
    for _ in range(2):
        agreed = citizen.call("POST", "/consents", {"document": "privacy", "version": "2021-11"})
        assert agreed.status == 204
    mine = citizen.call("GET", "/me").json()["privacy"]
    assert mine == {"version": "2021-11", "current": "2021-11", "newer_waits": False}


def test_an_account_is_closed_by_a_code(town: Town) -> None:
    citizen = town.registered()
    nobody = citizen.call("DELETE", "/me", {"sms_code": "000000"})
    assert nobody.json()["code"] == "code-expired"
    look(town.house, lambda ctx: lay_code(ctx, "close", citizen.person.id_number))
    closed = citizen.call("DELETE", "/me", {"sms_code": CODE})
    assert closed.status == 200, closed.body
    assert "谁查看了您的哪些信息" in [s["label"] for s in closed.json()["stays"]]
    assert citizen.call("GET", "/me").status == 401
    login = {"code": citizen.wx_login()}
    assert citizen.call("POST", "/login", login).json()["code"] == "not-registered"


def test_a_citizen_gets_all_that_is_held_about_him_and_nobody_elses(town: Town) -> None:
    citizen, other = town.face_signed(), town.face_signed()
    number = str(citizen.call("POST", "/matters", {"service": SERVICE}).json()["number"])
    filled(citizen, number, note="赴外工作")
    assert citizen.call("POST", f"/matters/{number}/submit").status == 200
    town.desk(OFFICE).open(f"/desk/matters/{number}")
    refused = citizen.call("GET", "/me/export?sms_code=000000")
    assert refused.json()["code"] == "code-expired"
    look(town.house, lambda ctx: lay_code(ctx, "export", citizen.person.id_number))
    reply = citizen.call("GET", f"/me/export?sms_code={CODE}")
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Disposition"].startswith("attachment")
    held = reply.json()
    person = citizen.person
    assert held["person"] == {
        "id_number": person.id_number,
        "name": person.name,
        "phone": person.phone,
    }
    assert held["account"]["tiers"]["face_signed"]["office"] == OFFICE
    assert held["account"]["licence_bound"] == person.id_number
    assert held["account"]["devices"] and held["account"]["wechat"]
    assert held["registry"]["licence"]["holder_name"] == person.name
    mine = {m["number"]: m for m in held["matters"]}
    assert mine[number]["form"]["note"] == "赴外工作" and len(mine[number]["photos"]) == 2
    for photo in mine[number]["photos"]:
        assert citizen.call("GET", photo["address"].removeprefix("/api/v1")).status == 200
        assert other.call("GET", photo["address"].removeprefix("/api/v1")).status == 404
    opened = next(one for one in held["looks"] if one["matter"] == number)
    assert "身份证号" in opened["labels"] and opened["office"]
    assert "officer" not in opened and "officer4101" not in reply.body.decode()
    assert {row["name"] for row in held["purposes"]} >= {"account-identity", "photos"}
    text = reply.body.decode()
    for secret in (other.person.id_number, other.person.name, other.person.phone):
        assert secret not in text
    # The code is used up.
    assert citizen.call("GET", f"/me/export?sms_code={CODE}").json()["code"] == "code-expired"
