"""Devices over the API: listed, signed out, their tokens renewed."""

from dataclasses import replace

from tests.support.citizens import Citizen, Town


def logged_in_again(citizen: Citizen, name: str) -> Citizen:
    """The same person on one more device."""
    reply = citizen.call("POST", "/login", {"code": citizen.wx_login(), "device": name})
    assert reply.status == 200, reply.body
    return replace(citizen, token=reply.json()["token"])


def test_devices_are_listed_and_signed_out_one_by_one(town: Town) -> None:
    phone = town.registered()
    tablet = logged_in_again(phone, "平板")
    listed = phone.call("GET", "/devices")
    assert listed.status == 200
    newest, first = listed.json()
    assert (newest["name"], newest["current"], first["current"]) == ("平板", False, True)
    assert (newest["app"], newest["app_label"]) == ("mini", "微信小程序")
    # A day, no moment, and no place.
    assert len(newest["seen"]) == len("2026-01-01")
    assert set(newest) == {
        *("id", "app", "app_label", "name", "since", "seen", "state", "current"),
    }
    for _ in range(2):
        assert phone.call("DELETE", f"/devices/{newest['id']}").status == 204
    assert tablet.call("GET", "/me").status == 401
    assert len(phone.call("GET", "/devices").json()) == 1


def test_all_others_are_signed_out(town: Town) -> None:
    phone = town.registered()
    others = [logged_in_again(phone, f"设备{n}") for n in range(3)]
    assert others[1].call("DELETE", "/devices").status == 204
    assert [c.call("GET", "/me").status for c in (phone, *others)] == [401, 401, 200, 401]


def test_another_citizens_device_is_not_touched(town: Town) -> None:
    mine, theirs = town.registered(), town.registered()
    device = theirs.call("GET", "/devices").json()[0]["id"]
    assert mine.call("DELETE", f"/devices/{device}").status == 204
    assert theirs.call("GET", "/devices").json()[0]["id"] == device


def test_a_token_is_renewed_and_the_answer_repeated(town: Town) -> None:
    phone = town.registered()
    first = phone.call("POST", "/login/refresh", key="refresh-key-0001")
    assert first.status == 200 and first.json()["token"] != phone.token
    again = phone.call("POST", "/login/refresh", key="refresh-key-0001")
    assert again.json() == first.json()
    renewed = replace(phone, token=first.json()["token"])
    assert renewed.call("GET", "/me").status == 200
    # One device still, not two.
    assert len(renewed.call("GET", "/devices").json()) == 1


def test_nobody_renews_what_is_no_token(town: Town) -> None:
    phone = town.registered()
    for token in ("", "nonsense", phone.token[1:], "a.b.c.d"):
        refused = replace(phone, token=token).call("POST", "/login/refresh")
        assert (refused.status, refused.code) == (401, "not-logged-in")
    assert phone.call("GET", "/me").status == 200
