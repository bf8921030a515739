"""Who a caller is: registering, logging in by code and by ID number, signing out, consent."""

import secrets

from tests.support.citizens import Town


def test_registering_logs_in_and_binds_the_wechat_account(town: Town) -> None:
    citizen = town.somebody()
    stranger = citizen.call("POST", "/login", {"code": citizen.wx_login()})
    assert (stranger.status, stranger.code) == (404, "not-registered")
    assert stranger.json()["next"]

    assert citizen.register().status == 201
    me = citizen.call("GET", "/me").json()
    assert me["wechat"] == ["mini"] and citizen.person.id_number not in str(me)
    assert citizen.person.phone not in str(me) and citizen.person.name not in str(me)

    code = citizen.wx_login()
    known = citizen.call("POST", "/login", {"code": code})
    assert known.status == 200 and known.json()["expires_at"].endswith("Z")
    used_up = citizen.call("POST", "/login", {"code": code})
    assert (used_up.status, used_up.code) == (401, "wechat-code-invalid")


def test_signing_out_ends_the_token_at_once(town: Town) -> None:
    citizen = town.registered()
    assert citizen.call("GET", "/me").status == 200
    assert citizen.call("DELETE", "/login").status == 204
    after = citizen.call("GET", "/me")
    assert (after.status, after.code) == (401, "not-logged-in")
    assert after.headers["WWW-Authenticate"] == "Bearer"
    assert citizen.call("DELETE", "/login").status == 204


def test_logging_in_by_id_number(town: Town) -> None:
    citizen = town.registered()
    numbers = [citizen.person.id_number, town.somebody().person.id_number]
    wishes = [{"purpose": "login", "id_number": number} for number in numbers]
    # One code a minute and phone: the one for registering was just sent, and nobody is told.
    sent = [citizen.call("POST", "/sms-codes", wish) for wish in wishes]
    alike = [{**r.json(), "challenge": len(r.json()["challenge"])} for r in sent]
    assert sent[0].status == 200 and alike[0] == alike[1]
    again = [citizen.call("POST", "/sms-codes", wish) for wish in wishes]
    assert [(r.status, r.code) for r in again] == [(429, "too-many-codes")] * 2
    guesses = [{"id_number": number, "sms_code": "000000"} for number in numbers]
    replies = [citizen.call("POST", "/login/id-number", guess) for guess in guesses]
    assert [(r.status, r.code) for r in replies] == [(422, "code-wrong")] * 2


def test_logging_in_by_id_number_after_being_signed_at_the_window(town: Town) -> None:
    citizen = town.somebody()
    town.face_sign(citizen.person)
    wish = {"purpose": "login", "id_number": citizen.person.id_number}
    sent = citizen.call("POST", "/sms-codes", wish)
    assert sent.status == 200 and citizen.person.phone not in str(sent.json())
    body = {
        "id_number": citizen.person.id_number,
        "sms_code": citizen.sms_code(),
        "wechat_code": citizen.wx_login(),
    }
    done = citizen.call("POST", "/login/id-number", body)
    assert done.status == 200, done.body
    assert done.json()["tiers"] == ["direct", "face_signed"]
    assert citizen.call("POST", "/login", {"code": citizen.wx_login()}).status == 200


def test_a_wrong_name_and_a_wrong_phone_are_answered_alike(town: Town) -> None:
    one, other = town.somebody(), town.somebody()
    wrong_name = one.register(name="别人")
    stranger = town.somebody().person.phone
    wish = {"purpose": "register", "id_number": other.person.id_number, "phone": stranger}
    assert other.call("POST", "/sms-codes", wish).status == 200
    other.person = type(other.person)(other.person.id_number, other.person.name, stranger)
    body = {
        "id_number": other.person.id_number,
        "name": other.person.name,
        "phone": stranger,
        "sms_code": other.sms_code(),
    }
    wrong_phone = other.call("POST", "/registrations", body)
    assert wrong_name.status == wrong_phone.status == 422
    alike = [{**r.json(), "request_id": ""} for r in (wrong_name, wrong_phone)]
    assert alike[0] == alike[1] and alike[0]["code"] == "identity-mismatch"


def test_a_repeated_registration_hears_success_but_not_for_who_knows_only_the_key(
    town: Town,
) -> None:
    citizen = town.somebody()
    key = secrets.token_urlsafe(12)
    wish = {
        "purpose": "register",
        "id_number": citizen.person.id_number,
        "phone": citizen.person.phone,
    }
    assert citizen.call("POST", "/sms-codes", wish).status == 200
    body = {
        "id_number": citizen.person.id_number,
        "name": citizen.person.name,
        "phone": citizen.person.phone,
        "sms_code": citizen.sms_code(),
    }
    assert citizen.call("POST", "/registrations", body, key=key).status == 201
    again = citizen.call("POST", "/registrations", body, key=key)
    assert again.status == 201
    thief = citizen.call("POST", "/registrations", {**body, "sms_code": "111111"}, key=key)
    assert thief.status in (422, 429) and "token" not in thief.json()


def test_consent_is_recorded_for_known_templates_only(town: Town) -> None:
    citizen = town.face_signed()
    begun = citizen.call("POST", "/matters", {"service": "licence-deferral"}).json()
    template = begun["consent_templates"][0]
    accept = {"template_id": template, "result": "accept"}
    assert citizen.call("POST", "/consents", accept).status == 204
    assert citizen.call("POST", "/consents", {**accept, "result": "reject"}).status == 204
    unknown = citizen.call("POST", "/consents", {**accept, "template_id": "no-such"})
    assert (unknown.status, unknown.code) == (422, "consent-unknown")


def test_licences_are_shown_masked(town: Town) -> None:
    citizen = town.face_signed()
    [licence] = citizen.call("GET", "/licences").json()
    assert licence["bound"] and licence["number"] != citizen.person.id_number
