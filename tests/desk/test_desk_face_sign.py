"""Face-signing at the desk: by the right office only, everything checked, with a receipt."""

import re
from urllib.parse import urlencode

from playwright.sync_api import Page, expect
from pypdfium2 import PdfDocument

from casework import facesign
from casework.context import Context
from casework.officers import Officer
from casework.visits import visit_of
from rules.people import Tier
from tests.desk.conftest import SignIn
from tests.desk.town import HOME_OFFICE, OFFICE_NAMES, OTHER_OFFICE, Town
from tests.support.faces import face


def look_up(page: Page, id_number: str) -> None:
    """Step one."""
    page.goto("/desk/face-sign")
    page.get_by_label("身份证号").fill(id_number)
    page.keyboard.press("Enter")


def take_picture(page: Page) -> None:
    """Step two: the person's picture beside the portrait; both are shown."""
    choose(page, face("at the counter"))
    shown = page.locator(".compare img")
    expect(shown.last).to_have_attribute("alt", "现场照片")
    for image in shown.all():
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 0


def choose(page: Page, content: bytes) -> None:
    """A file for the picture, sent."""
    picture = {"name": "face.jpg", "mimeType": "image/jpeg", "buffer": content}
    page.locator("[name=picture]").set_input_files(picture)
    page.get_by_role("button", name="上传照片").click()


def looks(town: Town, id_number: str) -> list[str]:
    """The fields officers looked at, as the access log has them, of this person."""

    async def work(ctx: Context) -> list[str]:
        key = ctx.stores.vault.id_key(id_number)
        found = ctx.stores.database["access_log"].find({})
        entries = [entry async for entry in found]
        return [f for e in entries if e.get("subject") == key for f in e["fields"]]

    return town.run(work)


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
    expect(page.get_by_text("人口登记系统没有此人的照片")).to_be_visible()
    expect(page.get_by_role("button", name="确认面签")).to_have_count(0)
    take_picture(page)
    expect(page.get_by_text("与身份证原件上的照片和右边的照片相符")).to_be_visible()
    expect(page.get_by_label("本人使用的手机号")).to_have_value(re.compile("^138"))
    page.get_by_role("button", name="确认面签").click()
    assert tiers(town, number) == frozenset()
    for box in page.locator("[name=checked]").all():
        box.check()
    page.get_by_role("button", name="确认面签").click()
    expect(page.get_by_role("status")).to_contain_text("面签已完成")
    expect(page.locator(".receipt")).to_contain_text(re.compile(r"\d{12}"))
    expect(page.locator(".receipt")).to_contain_text(re.compile(r"138\*{4}\d{4}"))
    assert number not in page.locator(".receipt").inner_text()
    assert Tier.FACE_SIGNED in tiers(town, number)
    page.emulate_media(media="print")
    expect(page.get_by_text("本人签名")).to_be_visible()
    expect(page.locator(".top")).to_be_hidden()
    assert len(PdfDocument(page.pdf(format="A4"))) == 1
    page.emulate_media(media="screen")
    receipt = page.locator(".receipt .number").first.inner_text()
    page.goto("/desk/?state=finished")
    page.get_by_role("link", name=receipt).click()
    expect(page.locator("main")).to_contain_text("窗口面签完成")
    expect(page.locator(".photo img")).to_have_count(1)
    look_up(page, number)
    expect(page.get_by_role("status")).to_contain_text("已经面签过")


def test_a_new_phone_is_proved_by_the_code_read_out(town: Town, sign_in: SignIn) -> None:
    number = town.licence_holder()
    page = sign_in("li")
    look_up(page, number)
    take_picture(page)
    for box in page.locator("[name=checked]").all():
        box.check()
    confirm = page.get_by_role("button", name="确认面签")
    phone = page.get_by_label("本人使用的手机号")
    page.get_by_role("button", name="发送验证码").click()
    expect(page.get_by_role("alert")).to_contain_text("就是现在登记的号码")
    phone.fill("139 0000 9999")
    confirm.click()
    expect(page.get_by_role("alert")).to_contain_text("还没有用验证码核实")
    assert tiers(town, number) == frozenset()
    page.get_by_role("button", name="发送验证码").click()
    expect(page.locator("main")).to_contain_text("验证码已发到139****9999")
    expect(page.locator("[name=checked]:checked")).to_have_count(3)
    code_arrives(town, page, "13900009999")
    page.get_by_label("本人读出的验证码").fill("000000")
    confirm.click()
    expect(page.get_by_role("alert")).to_contain_text("短信验证码不正确")
    phone.fill("13900008888")
    page.get_by_label("本人读出的验证码").fill("135790")
    confirm.click()
    expect(page.get_by_role("alert")).to_contain_text("还没有用验证码核实")
    assert tiers(town, number) == frozenset()
    phone.fill("139 0000 9999")
    page.get_by_label("本人读出的验证码").fill("135790")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("面签已完成")
    expect(page.locator(".receipt")).to_contain_text("139****9999")
    assert "13900009999" not in page.content()


def code_arrives(town: Town, page: Page, phone: str) -> None:
    """The code on the new phone: no gateway is here, so one is put in its place."""
    visit_id = page.url.split("/")[-2]

    async def work(ctx: Context) -> None:
        office = await ctx.office(HOME_OFFICE)
        assert office is not None
        officer = Officer("li", "李警官", "reviewer", office)
        visit = await visit_of(ctx, officer, "face-sign", visit_id)
        await ctx.stores.memory.put_code(facesign.slot(ctx, visit, phone), "135790", 60)

    town.run(work)


def test_checks_left_out_are_asked_for_without_script_too(town: Town, sign_in: SignIn) -> None:
    number = town.licence_holder()
    page = sign_in("li")
    look_up(page, number)
    take_picture(page)
    page.eval_on_selector_all("[required]", "all => all.forEach(e => e.required = false)")
    page.locator("[name=checked]").first.check()
    page.get_by_label("本人使用的手机号").fill("13900001111")
    page.get_by_role("button", name="确认面签").click()
    expect(page.get_by_role("alert")).to_contain_text("还没有逐项核对完")
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
    forced = page.request.post(
        f"/desk/face-sign/{'a' * 43}/receipt",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        data=urlencode(
            {"_xsrf": token, "phone": "13900002222", "checked": ["card", "face", "papers"]},
            doseq=True,
        ),
    )
    assert forced.status == 410
    assert tiers(town, number) == frozenset()


def test_numbers_that_cannot_be_are_worded_and_kept(sign_in: SignIn) -> None:
    page = sign_in("li")
    look_up(page, "410105199001010000")
    expect(page.get_by_role("alert")).to_contain_text("身份证号码不正确")
    expect(page.get_by_label("身份证号")).to_have_value("410105199001010000")
    look_up(page, "41010519920202001X")
    expect(page.get_by_role("alert")).to_be_visible()


def test_the_portrait_on_file_stands_beside_the_picture_and_every_look_is_logged(
    town: Town, sign_in: SignIn
) -> None:
    number = town.licence_holder()
    town.portrait(number)
    page = sign_in("li")
    look_up(page, number)
    expect(page.get_by_alt_text("人口登记照片")).to_have_js_property("complete", True)
    take_picture(page)
    expect(page.get_by_text("与左右两张照片相符")).to_be_visible()
    assert {"portrait", "counter_picture"} <= set(looks(town, number))
    visit = page.url
    for box in page.locator("[name=checked]").all():
        box.check()
    page.get_by_role("button", name="确认面签").click()
    expect(page.get_by_role("status")).to_contain_text("面签已完成")
    other = sign_in("zhao")
    assert other.request.get(f"{visit}/picture").status == 410
    assert other.request.get(f"{visit}/portrait").status == 410


def test_confirming_without_having_seen_the_pictures_is_refused(
    town: Town, sign_in: SignIn
) -> None:
    number = town.licence_holder()
    town.portrait(number)
    page = sign_in("li")
    page.route("**/portrait", lambda route: route.abort())
    look_up(page, number)
    choose(page, face("at the counter"))
    page.get_by_label("本人使用的手机号").fill("13900003333")
    for box in page.locator("[name=checked]").all():
        box.check()
    page.get_by_role("button", name="确认面签").click()
    expect(page.get_by_role("alert")).to_contain_text("还没有逐项核对完")
    assert tiers(town, number) == frozenset()


def test_what_is_no_picture_is_worded_and_a_form_from_elsewhere_is_refused(
    town: Town, sign_in: SignIn
) -> None:
    number = town.licence_holder()
    page = sign_in("li")
    look_up(page, number)
    choose(page, b"<html>" + b"x" * 5000)
    expect(page.get_by_role("alert")).to_contain_text("不支持这种文件")
    page.eval_on_selector_all("[required]", "all => all.forEach(e => e.required = false)")
    page.get_by_role("button", name="上传照片").click()
    expect(page.get_by_role("alert")).to_contain_text("还没有选择照片")
    visit = page.url.removesuffix("/picture")
    picture = {"name": "face.jpg", "mimeType": "image/jpeg", "buffer": face()}
    forged = page.request.post(f"{visit}/picture", multipart={"_xsrf": "x", "picture": picture})
    assert forged.status == 403
    forged = page.request.post(f"{visit}/picture", multipart={"picture": picture})
    assert forged.status == 403
    page.goto(visit)
    expect(page.get_by_text("还没有拍照")).to_be_visible()
