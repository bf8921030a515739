"""Booking for who stands there or calls: card or code, the record, a seat, a receipt."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from playwright.sync_api import Page, expect

from casework import steps
from casework.context import Context
from casework.exams import at_desk, desk_bookings
from casework.exams.booking import book
from casework.officers import Officer
from casework.visits import visit_of
from rules.matter import State
from rules.notices import NoticeState
from rules.people import Citizen
from tests.casework.exams import learner, published
from tests.desk.conftest import SignIn
from tests.desk.town import HOME_OFFICE, Town

CODE = "135790"
_ORDERS = count(701)


def student(town: Town) -> Citizen:
    """Somebody with a learner permit and 科目一 passed."""
    order = next(_ORDERS)
    return town.run(lambda ctx: learner(ctx, order))


def session(town: Town, code: str, capacity: int = 2) -> None:
    """A session of 科目二 in twenty days."""
    town.run(lambda ctx: published(ctx, code, capacity=capacity, site_name=f"考场{code}"))


def come(page: Page, citizen: Citizen, how: str, *, card: bool = False) -> None:
    """Step one, from the navigation."""
    page.goto("/desk/")
    page.get_by_role("link", name="驾驶人考试").click()
    page.get_by_role("link", name="窗口、电话约考").click()
    page.get_by_label("学员的身份证号").fill(citizen.id_number)
    page.get_by_label(how).check()
    if card:
        page.get_by_label("看过居民身份证原件").check()
    page.keyboard.press("Enter")


def code_arrives(town: Town, page: Page, citizen: Citizen) -> None:
    """The code on the student's phone: no gateway is here, so one is put in its place."""
    visit_id = page.url.partition("?")[0].rpartition("/")[2]

    async def work(ctx: Context) -> None:
        office = await ctx.office(HOME_OFFICE)
        assert office is not None
        visit = await visit_of(ctx, Officer("li", "李警官", "reviewer", office), "exam", visit_id)
        await ctx.stores.memory.put_code(at_desk.slot(ctx, visit, citizen.phone), CODE, 60)

    town.run(work)


def test_a_visitor_gets_a_seat_a_receipt_and_may_give_it_back(town: Town, sign_in: SignIn) -> None:
    citizen = student(town)
    session(town, "V1")
    page = sign_in("li")
    come(page, citizen, "本人到窗口")
    expect(page.get_by_role("alert")).to_contain_text("还没有核对身份证原件")
    expect(page.get_by_label("学员的身份证号")).to_have_value(citizen.id_number)
    page.get_by_label("看过居民身份证原件").check()
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(citizen.name)
    assert citizen.id_number not in page.url
    page.locator("[name=subject]").first.select_option("2")
    page.get_by_role("button", name="查看").click()
    page.get_by_role("row", name="考场V1").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("已受理")
    receipt = page.locator(".receipt")
    expect(receipt).to_contain_text("考场V1")
    assert citizen.id_number not in page.content() and citizen.phone not in page.content()
    number = receipt.locator(".number").first.inner_text()
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="返回这名学员").click()
    page.get_by_role("button", name="取消预约").click()
    expect(page.get_by_role("status")).to_contain_text("已在窗口取消预约")
    assert town.matter(number).state is State.WITHDRAWN


def test_a_caller_reads_back_a_code_first(town: Town, sign_in: SignIn) -> None:
    citizen = student(town)
    session(town, "V2", capacity=1)
    page = sign_in("li")
    come(page, citizen, "本人来电")
    expect(page.get_by_role("heading", name="核实来电人")).to_be_visible()
    assert citizen.id_number not in page.content() and citizen.phone not in page.content()
    page.get_by_role("button", name="发验证码").click()
    code_arrives(town, page, citizen)
    page.get_by_label("本人读出的验证码").fill("000000")
    page.get_by_role("button", name="核实").click()
    expect(page.get_by_role("alert")).to_contain_text("验证码不正确")
    page.get_by_label("本人读出的验证码").fill(CODE)
    page.keyboard.press("Enter")
    page.locator("[name=subject]").first.select_option("2")
    page.get_by_role("button", name="查看").click()
    # Somebody is faster: what is wrong is said, and the sessions are there as they are now.
    other = student(town)
    town.run(lambda ctx: book(ctx, other, "V2", "a", "mini"))
    page.get_by_role("button", name="考场V2").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("名额")
    page.get_by_role("button", name="候补").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".receipt")).to_contain_text("候补第1位")
    page.get_by_role("link", name="返回这名学员").click()
    page.get_by_role("button", name="退出候补").click()
    expect(page.get_by_role("status")).to_contain_text("退出候补")


def test_a_caller_without_a_phone_is_asked_to_come(town: Town, sign_in: SignIn) -> None:
    citizen = student(town)

    async def closed(ctx: Context) -> None:
        seen = await ctx.stores.closings.look(citizen.key)
        assert seen is not None
        later = ctx.now() + timedelta(days=30)
        assert await ctx.stores.closings.close(citizen.key, seen, ctx.now(), later)
        await ctx.stores.closings.done(citizen.key)

    town.run(closed)
    page = sign_in("li")
    come(page, citizen, "本人来电")
    expect(page.locator("main")).to_contain_text("没有登记的手机号")
    expect(page.get_by_role("button", name="发验证码")).to_have_count(0)


def test_a_booking_is_found_by_its_number_and_refused_with_a_reason(
    town: Town, sign_in: SignIn
) -> None:
    citizen = student(town)
    session(town, "V3")
    number = town.run(lambda ctx: book(ctx, citizen, "V3", "a", "mini")).number
    page = sign_in("li")
    page.goto("/desk/")
    page.get_by_label("办件编号").fill(number)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/exams/bookings/{number}")
    expect(page.locator("main")).to_contain_text("小程序")
    expect(page.locator("main")).to_contain_text("发给学员的消息")
    page.get_by_text("不予确认").click()
    page.get_by_role("button", name="确认不予预约").click()
    expect(page.get_by_role("alert")).to_contain_text("没有写明原因")
    page.get_by_label("体检证明已过有效期").check()
    page.get_by_role("button", name="确认不予预约").click()
    expect(page.locator(".log").first).to_contain_text("体检证明已过有效期")
    assert town.matter(number).state is State.REFUSED
    page.goto("/desk/?state=refused")
    assert number not in page.content()


def test_others_get_no_further_than_the_door(town: Town, sign_in: SignIn) -> None:
    citizen = student(town)
    session(town, "V4")
    number = town.run(lambda ctx: book(ctx, citizen, "V4", "a", "mini")).number
    away = sign_in("zhao")
    answer = away.goto(f"/desk/exams/bookings/{number}")
    assert answer is not None and answer.status == 403
    expect(away.locator("main")).to_contain_text("郑州市车辆管理所")
    come(away, citizen, "本人到窗口", card=True)
    expect(away.get_by_role("alert")).to_contain_text("不在本单位考试")
    school = sign_in("liu")
    visit = "a" * 43
    for path in ("student", f"bookings/{number}", f"visits/{visit}", f"visits/{visit}/receipt/1"):
        assert school.request.get(f"/desk/exams/{path}").status == 403
    for path in (
        *("student", f"bookings/{number}/refuse", f"bookings/{number}/cancel"),
        f"bookings/{number}/told",
        *(f"visits/{visit}/{part}" for part in ("code", "book", "act")),
    ):
        token = next(c["value"] for c in school.context.cookies() if c["name"] == "_xsrf")
        sent = school.request.post(f"/desk/exams/{path}", form={"_xsrf": token})
        assert sent.status == 403 and "没有这项权限" in sent.text()


def test_whom_no_message_reached_is_listed_for_a_call(town: Town, sign_in: SignIn) -> None:
    citizen = student(town)
    session(town, "V5")
    number = town.run(lambda ctx: book(ctx, citizen, "V5", "a", "mini")).number

    async def lost(ctx: Context) -> None:
        office = await ctx.office(HOME_OFFICE)
        assert office is not None
        li = Officer("li", "李警官", "reviewer", office)
        held = await desk_bookings.open_booking(ctx, li, number)
        version = held.view.version
        await desk_bookings.refuse_booking(
            ctx, li, number, reason="体检过期", version=version, cause="desk:lost"
        )
        stored = await steps.load(ctx, number)
        last = max(stored.notices.values(), key=lambda notice: notice.event)
        dead = replace(last, state=NoticeState.DEAD, due=None)
        assert await ctx.stores.matters.save_notice(stored, dead)

    page = sign_in("li")
    page.goto("/desk/exams/untold")
    expect(page.locator(".empty")).to_contain_text("没有要打电话的学员")
    town.run(lost)
    page.reload()
    expect(page.get_by_role("row", name=number)).to_contain_text("无法送达")
    assert citizen.name not in page.content() and citizen.phone not in page.content()
    page.get_by_role("link", name=number).click()
    expect(page.locator("main")).to_contain_text(citizen.phone)
    page.get_by_role("button", name="已电话告知").click()
    expect(page.get_by_role("status")).to_contain_text("已记下电话告知")
    expect(page.locator(".empty")).to_contain_text("没有要打电话的学员")
    page.goto(f"/desk/exams/bookings/{number}")
    expect(page.locator(".log").first).to_contain_text("车管所已电话告知")
    expect(page.get_by_role("button", name="已电话告知")).to_have_count(0)
