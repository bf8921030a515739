"""The licence deferral from the first hello to the last SMS, with the mouse, in Chromium."""

import json
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.hands import A_CODE_A_MINUTE, Desk, PhonePage, picture
from tests.support.processes import House

ID_NUMBER, PHONE = "41010519900307131X", "13900010001"


def test_licence_deferral_by_mouse(house: House, open_page: Callable[[str], Page]) -> None:
    phone = PhonePage(open_page(house.sandbox_url))
    desk = Desk(open_page(house.service_url))
    password = json.loads((house.folder / "desk-logins.json").read_text())["zhengzhou"]

    code_sent = register_in_chat(phone)
    desk.log_in("zhengzhou", password)
    desk.face_sign(ID_NUMBER)
    phone.sms("面签注册完成")
    apply_in_chat(phone)
    phone_not_on_file(phone)
    phone.be_again(PHONE)
    log_in_to_mini_program(phone, code_sent)
    go_on_in_mini_program(phone)
    send_back(desk)
    correct(phone)
    approve(desk)
    phone.sms("审核通过")
    phone.sms("不得驾驶")
    expect(phone.page.locator("#page")).to_contain_text("审核已通过")
    site = open_page(house.service_url)
    site.goto("/")
    expect(site.get_by_role("link", name="驾驶证延期换证")).to_be_visible()
    picture(site, "public", height=720)


def register_in_chat(phone: PhonePage) -> float:
    """Hello and registration; gives when the code was sent."""
    phone.page.goto("/")
    expect(phone.page.locator("#welcome")).to_contain_text(ID_NUMBER)
    picture(phone.page, "phone-welcome")
    phone.be("王小明")
    phone.follow()
    phone.tap("驾驶证延期换证", "现在注册", "身份证号", "姓名", "手机号")
    phone.sms("用于注册")
    # Counted by the gateway from here: the worker sends it when it can.
    sent = time.monotonic()
    phone.tap("验证码")
    phone.hear("注册成功")
    phone.hear("面签")
    return sent


def apply_in_chat(phone: PhonePage) -> None:
    """Half of the application, with a file that is no picture on the way."""
    phone.tap("延期换证", "出国", "2027年3月1日", "跳过", "在这里继续")
    phone.hear("请发照片：身份证人像面")
    composer = phone.page.locator("#say")
    phone.sample(composer, "改名成 .jpg 的网页")
    phone.hear("不支持这种文件")
    phone.sample(composer, "身份证人像面")
    phone.hear("收到“身份证人像面”")


def phone_not_on_file(phone: PhonePage) -> None:
    """Somebody else's phone: refused kindly, and the next wish is understood."""
    phone.be_somebody_else("13900019999", "李秀英")
    phone.type("注册")
    phone.hear("身份证号码")
    phone.tap("身份证号", "姓名", "手机号")
    phone.sms("用于注册")
    phone.tap("验证码")
    phone.hear("不一致")
    phone.hear("郑州市公安局车辆管理所")
    phone.type("注册")
    phone.hear("请发您的18位身份证号码")


def log_in_to_mini_program(phone: PhonePage, code_sent: float) -> None:
    """The mini-program does not know this WeChat yet; once by ID number, and it does."""
    page = phone.mini.locator("#page")
    phone.press("微信登录")
    expect(page.get_by_role("alert")).to_contain_text("没有与您的账户绑定")
    phone.press("身份证号登录")
    phone.press("填入王小明的资料")
    # One code a minute, at the platform and at the gateway.
    time.sleep(max(0.0, code_sent + A_CODE_A_MINUTE - time.monotonic()))
    phone.press("获取验证码")
    phone.sms("用于登录")
    phone.inbox.get_by_role("button", name="填入这个验证码").last.click()
    phone.press("登录")
    expect(page).to_contain_text("面签注册用户")


def go_on_in_mini_program(phone: PhonePage) -> None:
    """The chat's draft with its photo; the rest; a wrong file; consent and submission."""
    page = phone.mini.locator("#page")
    page.get_by_role("button", name="草稿").click()
    expect(page.get_by_label("延期截止日期")).to_have_value("2027-03-01")
    expect(page.get_by_text("2027年3月1日")).to_be_visible()
    photo = page.locator("[data-material=id_card] img")
    expect(photo).to_have_js_property("complete", True)
    assert photo.evaluate("image => image.naturalWidth") > 0
    picture(phone.page, "phone-draft")
    proof = page.locator("[data-material=reason_proof]")
    phone.sample(proof, "改名成 .jpg 的网页")
    expect(page.get_by_role("alert")).to_contain_text("不支持这种文件")
    phone.sample(proof, "没有盖章")
    expect(proof.locator("img")).to_have_count(1, timeout=20_000)
    phone.press("提交")
    phone.consent("允许")
    phone.subscribe_message("审核中")
    phone.press("订阅进度消息")
    phone.consent("允许")


def send_back(desk: Desk) -> None:
    """Two defects at once."""
    desk.work_list()
    picture(desk.page, "desk-worklist", height=230)
    desk.take_first()
    desk.open_send_back()
    desk.defect("延期事由证明", "缺少学校印章，请重新拍照")
    desk.defect("延期截止日期", "请填到通知书所载毕业日期")
    picture(desk.page, "desk-matter", height=1060)
    desk.decide("确认退回补正", "已退回补正")


def correct(phone: PhonePage) -> None:
    """Told by subscribe message, put right in the mini-program; this time without consent."""
    page = phone.mini.locator("#page")
    phone.subscribe_message("待补正")
    expect(page).to_contain_text("需要补正 2 处")
    picture(phone.page, "phone")
    phone.press("提交")
    phone.consent("拒绝")
    expect(page.get_by_role("alert")).to_contain_text("还有需要补正的内容没有改")
    proof = page.locator("[data-material=reason_proof]")
    proof.get_by_role("button", name="删除").click()
    expect(proof.locator("img")).to_have_count(0)
    phone.sample(proof, "已盖章")
    expect(proof.locator("img")).to_have_count(1, timeout=20_000)
    until = page.get_by_label("延期截止日期")
    until.fill("2028-06-30")
    until.blur()
    expect(page.get_by_role("status")).to_have_text("已保存")
    phone.press("提交")
    phone.consent("拒绝")
    phone.sms("补正材料已提交")


def approve(desk: Desk) -> None:
    """The corrected matter is there again."""
    desk.work_list()
    desk.take_first()
    desk.decide("批准", "已批准")
