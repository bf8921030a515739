"""Face-signing at the desk: by the right office only, everything checked, with a receipt."""

import re
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from casework.context import Context
from rules.people import Tier
from tests.desk.conftest import SignIn
from tests.desk.town import HOME_OFFICE, OFFICE_NAMES, OTHER_OFFICE, Town


def look_up(page: Page, id_number: str) -> None:
    """Step one."""
    page.goto("/desk/face-sign")
    page.get_by_label("身份证号").fill(id_number)
    page.keyboard.press("Enter")


def tiers(town: Town, id_number: str) -> frozenset[Tier]:
    """The tiers somebody has now."""

    async def work(ctx: Context) -> frozenset[Tier]:
        session = await ctx.stores.sessions.get(ctx.stores.vault.id_key(id_number))
        return frozenset(session.tiers) if session else frozenset()

    return town.run(work)


def test_a_citizen_is_signed_up_and_gets_a_receipt(town: Town, sign_in: SignIn) -> None:
    number = town.licence_holder()
    page = sign_in("li")
    look_up(page, number)
    expect(page.get_by_role("status")).to_contain_text(f"{OFFICE_NAMES[HOME_OFFICE]}可以为此人办理")
    assert number not in page.url
    page.get_by_label("本人使用的手机号").fill("139 0000 9999")
    page.get_by_role("button", name="确认面签").click()
    assert tiers(town, number) == frozenset()
    for box in page.locator("[name=checked]").all():
        box.check()
    page.get_by_role("button", name="确认面签").click()
    expect(page.get_by_role("status")).to_contain_text("面签已完成")
    expect(page.locator(".receipt")).to_contain_text(re.compile(r"\d{12}"))
    expect(page.locator(".receipt")).to_contain_text("139****9999")
    assert number not in page.locator(".receipt").inner_text()
    assert Tier.FACE_SIGNED in tiers(town, number)
    page.emulate_media(media="print")
    expect(page.get_by_text("本人签名")).to_be_visible()
    expect(page.locator(".top")).to_be_hidden()
    page.emulate_media(media="screen")
    receipt = page.locator(".receipt .number").first.inner_text()
    page.goto("/desk/?state=finished")
    page.get_by_role("link", name=receipt).click()
    expect(page.locator("main")).to_contain_text("窗口面签完成")
    look_up(page, number)
    expect(page.get_by_role("status")).to_contain_text("已经面签过")


def test_checks_left_out_are_asked_for_without_script_too(town: Town, sign_in: SignIn) -> None:
    number = town.licence_holder()
    page = sign_in("li")
    look_up(page, number)
    expect(page.get_by_label("本人使用的手机号")).to_be_visible()
    page.eval_on_selector_all("[required]", "all => all.forEach(e => e.required = false)")
    page.locator("[name=checked]").first.check()
    page.get_by_label("本人使用的手机号").fill("13900001111")
    page.get_by_role("button", name="确认面签").click()
    expect(page.get_by_role("alert")).to_contain_text("三项都当面核对过")
    expect(page.get_by_label("本人使用的手机号")).to_have_value("13900001111")
    expect(page.locator("[name=checked]:checked")).to_have_count(1)
    assert tiers(town, number) == frozenset()


def test_another_office_cannot_sign_and_is_told_which_one_can(town: Town, sign_in: SignIn) -> None:
    number = town.licence_holder(OTHER_OFFICE)
    page = sign_in("li")
    look_up(page, number)
    expect(page.get_by_role("alert")).to_contain_text("不能为此人办理面签")
    expect(page.locator("main")).to_contain_text(OFFICE_NAMES[OTHER_OFFICE])
    expect(page.get_by_role("button", name="确认面签")).to_have_count(0)
    token = page.locator("[name=_xsrf]").first.input_value()
    form = {"_xsrf": token, "id_number": number, "phone": "13900002222", "cause": "b" * 20}
    forced = page.request.post(
        "/desk/face-sign/receipt",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        data=urlencode({**form, "checked": ["card", "face", "papers"]}, doseq=True),
    )
    assert forced.status == 403
    assert tiers(town, number) == frozenset()


def test_numbers_that_cannot_be_are_worded_and_kept(sign_in: SignIn) -> None:
    page = sign_in("li")
    look_up(page, "410105199001010000")
    expect(page.get_by_role("alert")).to_contain_text("身份证号码不正确")
    expect(page.get_by_label("身份证号")).to_have_value("410105199001010000")
    look_up(page, "41010519920202001X")
    expect(page.get_by_role("alert")).to_be_visible()
