"""School accounts at the desk, and the clerk's own pages, in a real browser."""

import os
import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Locator, Page, expect

from casework import desk, steps
from casework.context import Context
from casework.officers import Officer
from casework.tables import content_of, write_xlsx
from rules.matter import Defect
from tests.desk.conftest import SignIn, change_password, log_in
from tests.desk.town import HOME_OFFICE, SCHOOL_NAME, Town
from tests.schools.files import archive, id_of, portrait, student, table
from tests.support.web import fetch_json

SHOTS = os.environ.get("DESK_SHOTS", "")
"""A folder for pictures of the pages, for whoever wants to look at them."""


@pytest.fixture(scope="module")
def working(town: Town) -> Iterator[Town]:
    """The town with a worker and the outside world beside the service."""
    started = [town.house.start_sandbox(), town.house.start_worker()]
    yield town
    for one in started:
        one.stop()


def shot(page: Page, name: str) -> None:
    """A picture of the page, if somebody wants them."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def facts(page: Page) -> Locator:
    """What the page says below its head."""
    return page.locator("main")


def fill(page: Page, town: Town, order: int) -> None:
    """The form of one student, without the picture."""
    page.get_by_label("身份证号").fill(id_of(order))
    page.get_by_label("姓名").fill("陈学员")
    page.get_by_label("手机号").fill(f"136{order:08d}")
    page.get_by_label("报考车型").select_option("C1")
    page.get_by_label("申请类别").select_option("first")
    day = town.run(today) - timedelta(days=9)
    page.get_by_label("体检日期").fill(day.isoformat())
    page.get_by_label("体检医院").fill("市第一人民医院")


async def today(ctx: Context) -> date:
    """The house's date."""
    return ctx.today()


def choose(page: Page, label: str, name: str, content: bytes) -> None:
    """A file put into a form's field."""
    kind = "application/octet-stream"
    page.get_by_label(label).set_input_files({"name": name, "mimeType": kind, "buffer": content})


def enrol(page: Page, town: Town, order: int) -> str:
    """One student enrolled by the form; the matter's number."""
    page.goto("/desk/students/new")
    fill(page, town, order)
    choose(page, "人像照片", "a.jpg", portrait(order))
    page.get_by_role("button", name="报送车管所审核").click()
    expect(page.get_by_role("status")).to_contain_text("已报送车管所审核")
    return page.locator(".heading .number").inner_text()


def send_back(town: Town, number: str, *defects: Defect) -> None:
    """The vehicle office sends a student back."""

    async def work(ctx: Context) -> None:
        office = await ctx.office(HOME_OFFICE)
        assert office is not None
        who = Officer("li", "李警官", "reviewer", office)
        version = (await steps.load(ctx, number)).matter.version
        await desk.decide(ctx, who, number, version, "send_back", defects, "", f"back-{version}")

    town.run(work)


def test_a_head_gives_a_clerk_his_login_once_and_takes_it_back(
    town: Town, sign_in: SignIn, stranger: Page
) -> None:
    page = sign_in("zhou")
    page.get_by_role("link", name="驾校账号").click()
    section = page.locator("section", has_text=SCHOOL_NAME)
    section.get_by_label("账号").fill("Wang.Jiaowu")
    section.get_by_label("经办人姓名").fill("王教务")
    shot(page, "schools")
    section.get_by_role("button", name="新增经办人").click()
    expect(page.get_by_role("status")).to_contain_text("只显示这一次")
    shot(page, "school-login")
    password = page.locator("#login-password").inner_text()
    secret = page.locator("#login-secret").inner_text()
    log_in(stranger, "wang.jiaowu", password, pyotp.TOTP(secret).now())
    # The head has seen it: nothing is done with it but giving himself one of his own.
    expect(stranger.get_by_role("heading", name="修改密码")).to_be_visible()
    expect(stranger.get_by_role("status")).to_contain_text("别人为您设置的")
    stranger.goto("/desk/students/new")
    expect(stranger.get_by_role("heading", name="修改密码")).to_be_visible()
    shot(stranger, "password-first")
    change_password(stranger, password, "four words of my own")
    expect(stranger.get_by_role("status")).to_contain_text("密码已修改")
    stranger.get_by_role("link", name="开始工作").click()
    expect(stranger.get_by_role("heading", name="本校学员")).to_be_visible()

    # A name is nobody's twice, least of all an officer's.
    page.goto("/desk/schools")
    for taken in ("wang.jiaowu", "zhao"):
        section.get_by_label("账号").fill(taken)
        section.get_by_label("经办人姓名").fill("另一人")
        section.get_by_role("button", name="新增经办人").click()
        expect(page.get_by_role("alert")).to_contain_text("这个账号已经有了")
    row = page.get_by_role("row", name=re.compile("wang.jiaowu"))
    row.get_by_role("button", name="停用").click()
    expect(page.get_by_role("status")).to_contain_text("账号已停用")
    stranger.goto("/desk/students")
    expect(stranger.get_by_role("button", name="登录")).to_be_visible()
    row.get_by_role("button", name="重设密码").click()
    assert page.locator("#login-password").inner_text() != password


def test_each_sees_his_own_pages_only(town: Town, sign_in: SignIn) -> None:
    for username, there, forbidden in (
        ("li", "工作列表", ("/desk/schools", "/desk/students", "/desk/batches")),
        ("liu", "学员报名", ("/desk/schools", "/desk/face-sign", "/desk/next")),
    ):
        page = sign_in(username)
        page.goto("/desk/")
        expect(page.get_by_role("navigation").first).to_contain_text(there)
        for path in forbidden:
            answer = page.goto(path)
            assert answer is not None and answer.status == 403, path
            expect(facts(page)).to_contain_text("没有这项权限")
    page = sign_in("liu")
    page.goto("/desk/")
    assert page.url.endswith("/desk/students")
    links = page.locator("header nav a").all_inner_texts()
    assert links == ["学员", "学员报名", "批量报名", "使用说明"]


def test_a_student_is_enrolled_corrected_in_place_and_nothing_else_is_open(
    town: Town, sign_in: SignIn
) -> None:
    page = sign_in("liu")
    page.goto("/desk/students/new")
    fill(page, town, 9001)
    page.get_by_label("手机号").fill("123")
    choose(page, "人像照片", "a.jpg", portrait(9001))
    shot(page, "student-new")
    page.get_by_role("button", name="报送车管所审核").click()
    expect(page.locator(".fault")).to_contain_text("手机号码")
    expect(page.get_by_label("姓名")).to_have_value("陈学员")
    shot(page, "student-new-wrong")
    number = enrol(page, town, 9001)
    shot(page, "student-submitted")
    assert enrol_again(page, town, 9001) == number

    send_back(
        town,
        number,
        Defect("field:medical_hospital", "与证明不一致"),
        Defect("material:portrait", "照片不清楚，请重新拍摄"),
    )
    page.goto("/desk/")
    row = page.get_by_role("row", name=re.compile(number))
    expect(row).to_contain_text("与证明不一致")
    expect(row).to_contain_text("陈**")
    assert id_of(9001) not in facts(page).inner_text()
    shot(page, "students-returned")
    row.get_by_role("link").click()
    expect(page.get_by_label("体检医院")).to_be_visible()
    expect(page.get_by_label("手机号")).to_have_count(0)
    page.get_by_label("体检医院").fill("市第二人民医院")
    choose(page, "人像照片", "b.jpg", portrait(9002))
    shot(page, "student-correct")
    page.get_by_role("button", name="重新报送").click()
    expect(page.get_by_role("status")).to_contain_text("已改正，重新送审")
    expect(facts(page)).to_contain_text("市第二人民医院")
    expect(page.locator("img.portrait")).to_have_count(1)
    page.get_by_label("办件编号").fill(number)
    page.keyboard.press("Enter")
    expect(page.locator(".heading .number")).to_have_text(number)


def enrol_again(page: Page, town: Town, order: int) -> str:
    """The same once more: it leads to the enrolment there is."""
    page.goto("/desk/students/new")
    fill(page, town, order)
    choose(page, "人像照片", "a.jpg", portrait(order))
    page.get_by_role("button", name="报送车管所审核").click()
    expect(page.get_by_role("status")).to_contain_text("没有重复")
    return page.locator(".heading .number").inner_text()


def test_a_file_with_three_bad_rows_is_followed_and_corrected(
    working: Town, sign_in: SignIn, tmp_path: Path
) -> None:
    day = working.run(today) - timedelta(days=9)
    rows = [student(9100 + n, day) for n in range(20)]
    rows[4][0] = "4.10105E+17"
    rows[9][2] = "123"
    rows[14][3] = "Z9"
    page = sign_in("liu")
    page.goto("/desk/batches")
    with page.expect_download() as template:
        page.get_by_role("link", name="Excel模板").click()
    path = tmp_path / "template.xlsx"
    template.value.save_as(path)
    assert path.read_bytes().startswith(b"PK")
    shot(page, "batches")
    choose(page, "学员名单", "students.csv", table(rows))
    choose(page, "学员照片", "photos.zip", archive(range(9100, 9120)))
    page.get_by_role("button", name="上传并开始处理").click()
    shot(page, "batch-running")
    expect(facts(page)).to_contain_text("处理完毕", timeout=60_000)
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)
    assert page.locator(".totals b").all_inner_texts() == ["17", "0", "3"]
    assert page.locator(".errors tbody tr td:first-child").all_inner_texts() == ["6", "11", "16"]
    expect(page.locator(".errors")).to_contain_text("请把该列设为文本")
    shot(page, "batch-done")
    with page.expect_download() as errors:
        page.get_by_role("link", name="错误清单").click()
    errors.value.save_as(tmp_path / "errors.csv")
    assert (tmp_path / "errors.csv").read_text("utf-8-sig").splitlines()[0] == "行号,列,原因"
    with page.expect_download() as corrections:
        page.get_by_role("link", name="待改正的行（Excel）").click()
    corrections.value.save_as(tmp_path / "corrections.xlsx")
    found = content_of((tmp_path / "corrections.xlsx").read_bytes(), 100)
    again = [[str(c or "") for c in row] for row in (found.header, *(r for _, r in found.lines))]
    assert len(again) == 4
    again[1][0], again[2][2], again[3][3] = id_of(9104), rows[8][2], "C1"
    page.goto("/desk/batches")
    choose(page, "学员名单", "corrected.xlsx", write_xlsx(again, "学员"))
    choose(page, "学员照片", "photos.zip", archive(range(9100, 9120)))
    page.get_by_role("button", name="上传并开始处理").click()
    expect(facts(page)).to_contain_text("处理完毕", timeout=60_000)
    assert page.locator(".totals b").all_inner_texts() == ["3", "0", "0"]
    # Everything once more repeats nothing.
    page.goto("/desk/batches")
    choose(page, "学员名单", "corrected.xlsx", write_xlsx(again, "学员"))
    choose(page, "学员照片", "photos.zip", archive(range(9100, 9120)))
    page.get_by_role("button", name="上传并开始处理").click()
    expect(facts(page)).to_contain_text("处理完毕", timeout=60_000)
    assert page.locator(".totals b").all_inner_texts() == ["0", "3", "0"]
    page.goto("/desk/batches")
    expect(page.locator(".list tbody tr")).to_have_count(3)
    shot(page, "batches-list")


async def kept_files(ctx: Context) -> tuple[int, int]:
    """How many batches there are, and files of schools."""
    count = ctx.stores.database["school_batches"].count_documents
    return await count({}), await ctx.stores.database["school.files"].count_documents({})


def test_a_wrong_file_is_named_and_a_forged_form_takes_nothing(town: Town, sign_in: SignIn) -> None:
    page = sign_in("liu")
    page.goto("/desk/batches")
    choose(page, "学员名单", "students.csv", "姓名\n王小明\n".encode())
    page.get_by_role("button", name="上传并开始处理").click()
    expect(page.get_by_role("alert")).to_contain_text("表头不对：身份证号缺少这一列")
    parts = {
        "_xsrf": "0" * 32,
        "cause": "c" * 20,
        "table": {"name": "a.csv", "mimeType": "text/csv", "buffer": b"x"},
    }
    before = town.run(kept_files)
    forged = page.request.post("/desk/batches", multipart=parts)
    assert forged.status == 403
    # What the wrong file left may still be on its way out.
    assert all(now <= then for now, then in zip(town.run(kept_files), before, strict=True))


def test_a_student_goes_over_and_leaves_only_with_the_code_on_his_own_phone(
    working: Town, sign_in: SignIn
) -> None:
    first, second = sign_in("liu"), sign_in("sun")
    number = enrol(first, working, 9300)

    # Over to the next school, which knows his ID number and nothing else.
    second.goto("/desk/students/transfer")
    second.get_by_label("身份证号").fill(id_of(9300))
    shot(second, "transfer-1")
    second.get_by_role("button", name="给学员发验证码").click()
    expect(facts(second)).to_contain_text("136****9300")
    assert "陈学员" not in facts(second).inner_text()
    second.get_by_label("验证码").fill("000000")
    second.get_by_role("button", name="确认接收").click()
    expect(second.get_by_role("alert")).to_contain_text("短信验证码不正确")
    second.get_by_label("验证码").fill(code_on(working, f"136{9300:08d}"))
    second.get_by_role("button", name="确认接收").click()
    expect(second.get_by_role("status")).to_contain_text("已接收")
    expect(second.locator(".heading .number")).to_have_text(number)
    shot(second, "transferred")
    gone = first.goto(f"/desk/students/{number}")
    assert gone is not None and gone.status == 404

    # Another one leaves: one phone gets one code a minute.
    enrol(first, working, 9301)
    first.get_by_role("link", name="撤回或退学").click()
    shot(first, "leave-1")
    first.get_by_role("button", name="给学员发验证码").click()
    expect(facts(first)).to_contain_text("136****9301")
    shot(first, "leave-2")
    first.get_by_label("验证码").fill(code_on(working, f"136{9301:08d}"))
    first.get_by_role("button", name="确认撤回或退学").click()
    expect(first.get_by_role("status")).to_contain_text("已办理")
    expect(first.locator(".heading .tag")).to_have_text("已退学")
    shot(first, "left")
    second.goto("/desk/students/transfer")
    second.get_by_label("身份证号").fill(id_of(9301))
    second.get_by_role("button", name="给学员发验证码").click()
    expect(second.get_by_role("alert")).to_be_visible()


def code_on(town: Town, phone: str) -> str:
    """The code that came by SMS."""
    path = f"/sandbox/phones/{phone}/sms"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        inbox = fetch_json(town.house.sandbox_url, "GET", path).json()
        codes = [str(s["params"]["code"]) for s in inbox if "code" in s["params"]]
        if codes:
            return codes[-1]
        time.sleep(0.1)
    raise AssertionError("no code came")
