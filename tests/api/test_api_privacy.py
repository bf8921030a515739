"""What is held about a citizen: the notice, agreeing to it, closing the account."""

from tests.support.citizens import Town
from tests.support.known_codes import CODE, lay_code
from tests.support.story import look
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
