"""Students at the vehicle office: reviewed one by one or many at once, enrolled in person."""

import re
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from casework.codes import desk_slot
from casework.context import Context
from casework.enrolments import enrol
from casework.officers import Officer
from rules.people import Tier
from tests.desk.conftest import SignIn
from tests.desk.test_desk_face_sign import tiers
from tests.desk.town import HOME_OFFICE, Town, id_number, picture

SCHOOL = "4101-S1"
CODE = "135790"
FIRST = 500
"""People of these tests, apart from those of others."""


def enrolled(town: Town, order: int, **changes: str) -> str:
    """The number of a student a school entered."""

    async def work(ctx: Context) -> str:
        row = {
            "code": SCHOOL,
            "name": "平安驾校",
            "kind": "driving_school",
            "region": "4101",
            "address": "学车路1号",
            "hours": "8:00-18:00",
            "phone": "0371-5550000",
            "supervisor": HOME_OFFICE,
        }
        await ctx.stores.registry.upsert_offices([row])
        school = await ctx.office(SCHOOL)
        assert school is not None
        entry = {
            "id_number": id_number(order),
            "name": "陈学员",
            "phone": f"136000{order:05d}",
            "vehicle_class": "C1",
            "application": "初次申领",
            "medical_on": (ctx.today() - timedelta(days=10)).isoformat(),
            "medical_hospital": "市第一人民医院",
            **changes,
        }
        async with ctx.lab.spool() as spool:
            await spool.write(picture())
            clerk = Officer("liu", "刘教务", "clerk", school)
            return (await enrol(ctx, clerk, entry, spool, f"enrol-{order}")).number

    return town.run(work)


def owns_a_vehicle(town: Town, order: int) -> None:
    """The registry learns of a vehicle after he was entered."""

    async def work(ctx: Context) -> None:
        row = {
            "plate": f"豫A{order:05d}",
            "kind": "小型汽车",
            "owner_id_number": id_number(order),
            "owner_name": "陈学员",
            "owner_phone": "13600000000",
            "registering_office": HOME_OFFICE,
            "status": "正常",
        }
        await ctx.stores.registry.upsert_vehicles([row])

    town.run(work)


def test_a_student_without_an_account_is_reviewed_as_entered(town: Town, sign_in: SignIn) -> None:
    number = enrolled(town, FIRST)
    page = sign_in("li")
    page.goto("/desk/")
    row = page.locator("tr", has=page.get_by_role("link", name=number))
    expect(row).to_contain_text("C1 平安驾校")
    expect(row).to_contain_text("陈**")
    page.get_by_role("link", name=number).click()
    facts = page.locator(".facts")
    expect(facts).to_contain_text(id_number(FIRST))
    expect(facts).to_contain_text("市第一人民医院")
    expect(page.locator(".photos img")).to_have_count(1)
    expect(facts).to_contain_text("体检证明在出具之日起6个月内")
    page.get_by_role("button", name="批准").click()
    expect(page.get_by_role("status")).to_contain_text("已批准")
    expect(page.locator("#decision")).to_contain_text("现在是驾考学员")
    assert tiers(town, id_number(FIRST)) == {Tier.STUDENT}


def test_ticked_students_are_approved_and_the_others_named(town: Town, sign_in: SignIn) -> None:
    good, owner, left = (enrolled(town, FIRST + n) for n in (1, 2, 3))
    owns_a_vehicle(town, FIRST + 2)
    page = sign_in("li")
    page.goto("/desk/")
    for number in (good, owner):
        page.get_by_label(f"选中{number}").check()
    page.get_by_role("button", name="批准选中的学员").click()
    expect(page.get_by_role("status")).to_contain_text("已批准1名学员")
    expect(page.get_by_role("alert")).to_contain_text("有1名没有批准")
    row = page.locator("tr", has=page.get_by_role("link", name=owner))
    expect(row).to_contain_text("名下有机动车的人，须先面签注册")
    assert tiers(town, id_number(FIRST + 1)) == {Tier.STUDENT}
    assert tiers(town, id_number(FIRST + 2)) == frozenset()
    assert town.matter(left).version == 1
    page.goto("/desk/")
    page.get_by_role("button", name="批准选中的学员").click()
    expect(page.get_by_role("alert")).to_contain_text("没有选中任何学员")


def fill_in(page: Page, order: int, portrait: Path) -> None:
    """The form at the window; nothing is ticked."""
    page.goto("/desk/enrol")
    page.get_by_label("身份证号").fill(id_number(order))
    page.get_by_label("姓名").fill("陈学员")
    page.get_by_label("手机号").fill(f"136000{order:05d}")
    page.get_by_label("报考车型").select_option("C1")
    page.get_by_label("申请类别").select_option("first")
    page.get_by_label("体检日期").fill("2026-11-01")
    page.get_by_label("体检医院").fill("市第一人民医院")
    page.get_by_label("人像照片").set_input_files(portrait)


def test_at_the_window_he_is_a_student_at_once(town: Town, sign_in: SignIn, tmp_path: Path) -> None:
    portrait = tmp_path / "portrait.jpg"
    portrait.write_bytes(picture())
    page = sign_in("li")
    fill_in(page, FIRST + 4, portrait)
    page.eval_on_selector_all("[required]", "all => all.forEach(e => e.required = false)")
    page.get_by_role("button", name="确认报名").click()
    expect(page.get_by_role("alert")).to_contain_text("没有逐项当面核对")
    assert tiers(town, id_number(FIRST + 4)) == frozenset()
    expect(page.get_by_label("姓名")).to_have_value("陈学员")
    page.get_by_label("人像照片").set_input_files(portrait)
    for box in page.locator("input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name="确认报名").click()
    expect(page.get_by_role("status")).to_contain_text("已报名，现在是驾考学员")
    expect(page.locator("main")).to_contain_text("窗口报名，审核通过")
    assert re.search(r"/desk/matters/\d{12}", page.url)
    assert tiers(town, id_number(FIRST + 4)) == {Tier.STUDENT}


def test_who_enrolled_at_the_window_leaves_there(
    town: Town, sign_in: SignIn, tmp_path: Path
) -> None:
    portrait = tmp_path / "portrait.jpg"
    portrait.write_bytes(picture())
    page = sign_in("li")
    fill_in(page, FIRST + 6, portrait)
    for box in page.locator("input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name="确认报名").click()
    page.get_by_role("link", name="学员退学").click()
    address = page.url
    expect(page.locator("main")).to_contain_text("还没考的预约随之解除")
    page.get_by_role("button", name="给学员发验证码").click()
    expect(page.locator("main")).to_contain_text("136****0506")
    page.get_by_label("验证码").fill("000000")
    page.get_by_role("button", name="确认退学").click()
    expect(page.get_by_role("alert")).to_contain_text("验证码不正确")
    code_arrives(town, FIRST + 6)
    page.get_by_label("验证码").fill(CODE)
    page.get_by_role("button", name="确认退学").click()
    expect(page.get_by_role("status")).to_contain_text("已退学")
    assert tiers(town, id_number(FIRST + 6)) == frozenset()
    expect(page.get_by_role("link", name="学员退学")).to_have_count(0)
    for who, status in (("zhao", 404), ("liu", 403)):
        answer = sign_in(who).goto(address)
        assert answer is not None and answer.status == status


def code_arrives(town: Town, order: int) -> None:
    """The code on the student's phone: no gateway is here, so one is put in its place."""

    async def work(ctx: Context) -> None:
        key = ctx.stores.vault.id_key(id_number(order))
        place = desk_slot(ctx, "leave", key, f"136000{order:05d}", HOME_OFFICE)
        await ctx.stores.memory.put_code(place, CODE, 60)

    town.run(work)


def test_an_owner_is_turned_back_with_the_offices(
    town: Town, sign_in: SignIn, tmp_path: Path
) -> None:
    portrait = tmp_path / "portrait.jpg"
    portrait.write_bytes(picture())
    owns_a_vehicle(town, FIRST + 5)
    page = sign_in("li")
    fill_in(page, FIRST + 5, portrait)
    for box in page.locator("input[type=checkbox]").all():
        box.check()
    page.get_by_role("button", name="确认报名").click()
    expect(page.get_by_role("alert")).to_contain_text("须先面签注册")
    expect(page.get_by_role("alert")).to_contain_text("郑州市车辆管理所")
    assert tiers(town, id_number(FIRST + 5)) == frozenset()
