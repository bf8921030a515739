"""A matter at the desk: seen whole, decided once, on the version seen, by the right office."""

import re

from playwright.sync_api import Page, expect

from casework import matters
from rules.matter import State
from tests.desk.conftest import SignIn
from tests.desk.town import HOME_OFFICE, OFFICE_NAMES, Town


def test_everything_needed_is_on_the_page(town: Town, sign_in: SignIn) -> None:
    citizen, number = town.submitted()
    page = sign_in("li")
    page.goto(f"/desk/matters/{number}")
    main = page.locator("main")
    for words in (
        citizen.id_number,
        citizen.phone,
        "王小明",
        "出国（境）",
        "C1",
        "已绑定",
        "已提交",
    ):
        expect(main).to_contain_text(words)
    expect(page.locator(".checks .met")).to_have_count(4)
    expect(page.locator(".checks .unmet")).to_have_count(0)
    photos = page.locator(".photo img")
    expect(photos).to_have_count(2)
    for photo in photos.all():
        page.wait_for_function(
            "image => image.complete && image.naturalWidth > 0", arg=photo.element_handle()
        )


def test_photos_are_marked_and_only_for_the_office(town: Town, sign_in: SignIn) -> None:
    _, number = town.submitted()
    page, other = sign_in("li"), sign_in("zhao")
    photo = town.matter(number).photos[0].id
    address = f"/desk/matters/{number}/photos/{photo}"
    mine = page.request.get(address)
    assert (mine.status, mine.headers["content-type"]) == (200, "image/jpeg")
    assert mine.headers["cache-control"] == "no-store"
    assert other.request.get(address).status == 403
    assert page.request.get(f"/desk/matters/{number}/photos/{'0' * 24}").status == 404


def test_photo_can_be_enlarged_turned_and_closed_by_keys(town: Town, sign_in: SignIn) -> None:
    _, number = town.submitted()
    page = sign_in("li")
    page.goto(f"/desk/matters/{number}")
    figure = page.locator(".photo").first
    figure.locator("img").click()
    expect(figure).to_have_class(re.compile("enlarged"))
    page.keyboard.press("r")
    page.keyboard.press("+")
    expect(figure.locator("img")).to_have_attribute(
        "style", re.compile(r"rotate\(90deg\) scale\(1.5\)")
    )
    page.keyboard.press("Escape")
    expect(figure).not_to_have_class(re.compile("enlarged"))


def test_sending_back_names_every_defect(town: Town, sign_in: SignIn) -> None:
    _, number = town.submitted()
    page = sign_in("li")
    page.goto(f"/desk/matters/{number}")
    page.locator("summary", has_text="退回补正").click()
    page.get_by_label("身份证人像面的常用原因").select_option("照片不清楚，请重新拍摄")
    page.get_by_label("身份证人像面的补充说明").fill("左下角反光")
    page.get_by_label("延期截止日期的补充说明").fill("晚于签证日期")
    page.keyboard.press("Enter")
    expect(page.locator("[name=defect]:checked")).to_have_count(2)
    page.get_by_role("button", name="确认退回补正").click()
    expect(page.get_by_role("status")).to_contain_text("已退回补正")
    matter = town.matter(number)
    assert matter.state is State.CORRECTION
    assert {(d.part, d.reason) for d in matter.defects} == {
        ("material:id_card", "照片不清楚，请重新拍摄，左下角反光"),
        ("field:until", "晚于签证日期"),
    }
    expect(page.locator("#decision")).to_contain_text("延期截止日期：晚于签证日期")
    expect(page.get_by_role("button", name="批准")).to_have_count(0)


def test_a_tick_without_reason_is_refused_and_nothing_typed_is_lost(
    town: Town, sign_in: SignIn
) -> None:
    _, number = town.submitted()
    page = sign_in("li")
    page.goto(f"/desk/matters/{number}")
    page.locator("summary", has_text="退回补正").click()
    page.get_by_label("身份证人像面的补充说明").fill("模糊")
    page.locator("[name=defect]").nth(1).check()
    page.get_by_role("button", name="确认退回补正").click()
    expect(page.get_by_role("alert")).to_contain_text("没有写明原因")
    expect(page.get_by_label("身份证人像面的补充说明")).to_have_value("模糊")
    expect(page.locator("[name=defect]:checked")).to_have_count(2)
    assert town.matter(number).state is State.SUBMITTED


def test_refusing_needs_a_reason(town: Town, sign_in: SignIn) -> None:
    _, number = town.submitted()
    page = sign_in("li")
    page.goto(f"/desk/matters/{number}")
    page.locator("summary", has_text="不予批准").click()
    page.get_by_role("button", name="确认不予批准").click()
    expect(page.get_by_role("alert")).to_contain_text("没有写明原因")
    page.get_by_label("不属于可以延期的情形").check()
    page.get_by_role("button", name="确认不予批准").click()
    expect(page.get_by_role("status")).to_contain_text("不予批准")
    matter = town.matter(number)
    refused = matter.last("refused")
    assert refused is not None
    assert (matter.state, refused.data["reason"]) == (State.REFUSED, "不属于可以延期的情形")


def test_a_decision_on_an_older_version_is_shown_afresh_with_all_typed(
    town: Town, sign_in: SignIn
) -> None:
    citizen, number = town.submitted()
    page = sign_in("li")
    page.goto(f"/desk/matters/{number}")
    page.locator("summary", has_text="退回补正").click()
    page.get_by_label("延期事由证明的常用原因").select_option("缺页，请补齐")
    page.get_by_label("补充说明的补充说明").fill("请写明国家")
    town.run(lambda ctx: matters.urge(ctx, citizen, number, "urge"))
    page.get_by_role("button", name="确认退回补正").click()
    expect(page.get_by_role("alert")).to_contain_text("您的决定没有生效")
    assert town.matter(number).state is State.SUBMITTED
    expect(page.locator(".log").first).to_contain_text("申请人催办")
    expect(page.get_by_label("延期事由证明的常用原因")).to_have_value("缺页，请补齐")
    page.get_by_role("button", name="确认退回补正").click()
    expect(page.get_by_role("status")).to_contain_text("已退回补正")
    assert [d.reason for d in town.matter(number).defects] == ["缺页，请补齐", "请写明国家"]


def test_approving_leads_to_the_next_one(town: Town, sign_in: SignIn) -> None:
    _, first = town.submitted()
    _, second = town.submitted()
    page = sign_in("li")
    page.goto(f"/desk/matters/{first}")
    page.get_by_role("button", name="批准", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("已批准")
    assert town.matter(first).state is State.APPROVED
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/desk/matters/\d{12}$"))
    assert not page.url.endswith(first)
    page.goto("/desk/?state=approved")
    expect(page.get_by_role("link", name=first)).to_be_visible()
    assert town.matter(second).state is State.SUBMITTED


def test_a_double_click_decides_once(town: Town, sign_in: SignIn) -> None:
    _, number = town.submitted()
    page = sign_in("li")
    page.goto(f"/desk/matters/{number}")
    form = _form(page, "approve")
    before = town.matter(number).version
    for _ in range(2):
        answer = page.request.post(f"/desk/matters/{number}/decision", form=form)
        assert answer.url.endswith("?done=approve")
    assert town.matter(number).version == before + 1


def test_another_office_is_told_which_one_decides(town: Town, sign_in: SignIn) -> None:
    _, number = town.submitted()
    page, other = sign_in("li"), sign_in("zhao")
    answer = other.goto(f"/desk/matters/{number}")
    assert answer is not None and answer.status == 403
    expect(other.locator("main")).to_contain_text(OFFICE_NAMES[HOME_OFFICE])
    assert "王小明" not in other.content()
    page.goto(f"/desk/matters/{number}")
    token = _form(other, "")["_xsrf"]
    forced = other.request.post(
        f"/desk/matters/{number}/decision", form={**_form(page, "approve"), "_xsrf": token}
    )
    assert forced.status == 403
    assert town.matter(number).state is State.SUBMITTED


def test_what_a_citizen_writes_is_shown_as_text(town: Town, sign_in: SignIn) -> None:
    attack = '"><img src=x onerror="document.title=1"><script>document.title=2</script>{{1}}'
    _, number = town.submitted(attack)
    page = sign_in("li")
    page.goto(f"/desk/matters/{number}")
    expect(page.locator("main")).to_contain_text(attack)
    expect(page).to_have_title(re.compile("驾驶证延期换证"))
    assert page.locator("img[src=x], main script").count() == 0
    page.locator("summary", has_text="退回补正").click()
    page.get_by_label("身份证人像面的补充说明").fill(attack)
    page.get_by_role("button", name="确认退回补正").click()
    expect(page.locator("#decision")).to_contain_text(attack)
    assert page.locator("img[src=x], main script").count() == 0


def test_unknown_matters_have_the_desks_own_error_page(sign_in: SignIn) -> None:
    page = sign_in("li")
    answer = page.goto("/desk/matters/123456789012")
    assert answer is not None and answer.status == 404
    expect(page.locator("main")).to_contain_text("从工作列表中打开")
    expect(page.locator("main")).to_contain_text("错误编号")


def _form(page: Page, decision: str) -> dict[str, str | float | bool]:
    """The hidden fields of the page's first form with this decision (or any, for the token)."""
    inside = f"form:has([name=decision][value={decision}])" if decision else "form[method=post]"
    hidden = page.locator(inside).first.locator("input[type=hidden]")
    return {str(f.get_attribute("name")): f.input_value() for f in hidden.all()}
