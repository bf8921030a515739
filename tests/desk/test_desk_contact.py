"""Changing a phone at the desk: card, new phone, the code read out, a receipt."""

from playwright.sync_api import Page, expect

from casework import contacts
from casework.context import Context
from casework.officers import Officer
from casework.visits import visit_of
from rules.people import Citizen
from tests.desk.conftest import SignIn
from tests.desk.town import HOME_OFFICE, OFFICE_NAMES, OTHER_OFFICE, Town

NEW, CODE = "13911112222", "135790"


def look_up(page: Page, id_number: str) -> None:
    """Step one."""
    page.goto("/desk/")
    page.get_by_role("link", name="变更手机号").click()
    page.get_by_label("身份证号").fill(id_number)
    page.keyboard.press("Enter")


def code_arrives(town: Town, page: Page, phone: str = NEW) -> None:
    """The code on the new phone: no gateway is here, so one is put in its place."""
    visit_id = page.url.rpartition("/")[2]

    async def work(ctx: Context) -> None:
        office = await ctx.office(HOME_OFFICE)
        assert office is not None
        officer = Officer("li", "李警官", "reviewer", office)
        visit = await visit_of(ctx, officer, "contact", visit_id)
        await ctx.stores.memory.put_code(contacts.slot(ctx, visit, phone), CODE, 60)

    town.run(work)


def phone_of(town: Town, citizen: Citizen) -> str:
    """The phone of his account."""

    async def work(ctx: Context) -> str:
        session = await ctx.stores.sessions.get(citizen.key)
        assert session is not None
        return session.phone

    return town.run(work)


def test_a_phone_is_changed_by_a_code_read_out_at_the_counter(town: Town, sign_in: SignIn) -> None:
    citizen = town.citizen()
    page = sign_in("li")
    look_up(page, citizen.id_number)
    expect(page.get_by_role("status")).to_contain_text("可以为此人变更手机号")
    assert citizen.id_number not in page.url
    assert citizen.phone not in page.content()
    page.get_by_label("新手机号").fill(citizen.phone)
    page.get_by_role("button", name="发送验证码").click()
    expect(page.get_by_role("alert")).to_contain_text("就是现在登记的号码")
    page.get_by_label("新手机号").fill("139 1111 2222")
    page.get_by_role("button", name="发送验证码").click()
    expect(page.get_by_role("status")).to_contain_text("验证码已发到139****2222")
    code_arrives(town, page)
    visit = page.url
    for box in page.locator("[name=checked]").all():
        box.check()
    page.get_by_label("本人读出的验证码").fill("000000")
    page.get_by_role("button", name="确认变更").click()
    expect(page.get_by_role("alert")).to_contain_text("短信验证码不正确")
    assert phone_of(town, citizen) == citizen.phone
    expect(page.locator("[name=checked]:checked")).to_have_count(2)
    page.get_by_label("本人读出的验证码").fill(CODE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("手机号已变更")
    expect(page.locator(".receipt")).to_contain_text("139****2222")
    assert NEW not in page.content() and citizen.id_number not in page.content()
    assert phone_of(town, citizen) == NEW
    page.emulate_media(media="print")
    expect(page.get_by_text("本人签名")).to_be_visible()
    expect(page.locator(".top")).to_be_hidden()
    page.emulate_media(media="screen")
    number = page.locator(".receipt .number").first.inner_text()
    page.goto(f"/desk/matters/{number}")
    expect(page.locator("main")).to_contain_text("窗口变更手机号")
    page.goto(visit)
    page.get_by_label("新手机号").fill(NEW)
    page.get_by_role("button", name="换号码或重发").click()
    expect(page.get_by_role("alert")).to_contain_text("就是现在登记的号码")


def test_checks_left_out_are_asked_for(town: Town, sign_in: SignIn) -> None:
    citizen = town.citizen()
    page = sign_in("li")
    look_up(page, citizen.id_number)
    page.get_by_label("新手机号").fill("13911113333")
    page.get_by_role("button", name="发送验证码").click()
    code_arrives(town, page, "13911113333")
    page.eval_on_selector_all("[required]", "all => all.forEach(e => e.required = false)")
    page.get_by_label("本人读出的验证码").fill(CODE)
    page.get_by_role("button", name="确认变更").click()
    expect(page.get_by_role("alert")).to_contain_text("还没有逐项核对完")
    assert phone_of(town, citizen) == citizen.phone


def test_another_office_learns_only_which_one_may(town: Town, sign_in: SignIn) -> None:
    number = town.licence_holder(OTHER_OFFICE)
    page = sign_in("li")
    look_up(page, number)
    expect(page.get_by_role("alert")).to_contain_text("不能为此人变更手机号")
    expect(page.locator("main")).to_contain_text(OFFICE_NAMES[OTHER_OFFICE])
    expect(page.locator("main")).not_to_contain_text(number)
    expect(page.get_by_label("新手机号")).to_have_count(0)


def test_nobody_and_bad_numbers_are_worded(sign_in: SignIn) -> None:
    page = sign_in("li")
    look_up(page, "410105199001019999")
    expect(page.get_by_role("alert")).to_contain_text("登记系统中没有这个人")
    look_up(page, "410105199001010000")
    expect(page.get_by_role("alert")).to_contain_text("身份证号码不正确")
    gone = page.request.get(f"/desk/contact/{'a' * 43}")
    assert gone.status == 410
