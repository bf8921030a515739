"""The account's pages with the mouse: devices, mandates, the export, closing."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.hands import A_CODE_A_MINUTE, Desk, PhonePage, picture
from tests.support.processes import House

ID_NUMBER, PHONE = "41010519900307131X", "13900010001"
RELATIVE_ID, RELATIVE_PHONE = "41010519820615222X", "13900010002"
LEAVING_PHONE = "13900010003"


def test_the_account_by_mouse(
    house: House, open_page: Callable[[str], Page], tmp_path: Path
) -> None:
    phone = PhonePage(open_page(house.sandbox_url))
    desk = Desk(open_page(house.service_url))
    password = json.loads((house.folder / "desk-logins.json").read_text())["zhengzhou"]

    phone.page.goto("/")
    phone.be("王小明")
    phone.register("王小明")
    phone.be_another("李秀英")
    phone.register("李秀英")
    phone.be_another("赵国强")
    phone.register("赵国强")
    # Each phone gets a code a minute; meanwhile the principal goes to the window.
    sent = time.monotonic()
    desk.log_in("zhengzhou", password)
    desk.face_sign(ID_NUMBER)
    phone.be_again(PHONE)
    look_around(phone)
    time.sleep(max(0.0, sent + A_CODE_A_MINUTE - time.monotonic()))
    give_mandate(phone)
    phone.be_again(RELATIVE_PHONE)
    accept_mandate(phone)
    act_for_principal(phone)
    read_export(phone, tmp_path)
    phone.be_again(LEAVING_PHONE)
    close(phone)


def look_around(phone: PhonePage) -> None:
    """Devices, WeChat, vehicle, privacy; a page that is opened anew is still logged in."""
    page = phone.mini.locator("#page")
    phone.page.reload()
    expect(page).to_contain_text("面签注册用户")
    phone.press("我的账户")
    expect(page).to_contain_text("导出我的信息")
    picture(phone.page, "phone-account")
    phone.go("登录的设备和微信")
    expect(page).to_contain_text("王小明的手机")
    expect(page).to_contain_text("本机")
    expect(page.get_by_role("button", name="解绑")).to_be_visible()
    phone.back()
    phone.go("我的车")
    expect(page).to_contain_text("豫A12345")
    phone.back()
    phone.go("个人信息说明")
    expect(page).to_contain_text("您已同意")
    page.locator("summary", has_text="手机号").first.click()
    expect(page.get_by_text("用途：").locator("visible=true").first).to_be_visible()
    phone.back()


def give_mandate(phone: PhonePage) -> None:
    """To a relative, whose data the page offers."""
    page = phone.mini.locator("#page")
    phone.go("家人代办")
    expect(page).to_contain_text("没有委托过家人")
    phone.press("委托一位家人")
    phone.press("李秀英")
    expect(page.get_by_label("家人的身份证号")).to_have_value(RELATIVE_ID)
    phone.code("用于委托")
    phone.press("确认委托")
    expect(page).to_contain_text("委托给李秀英")
    phone.back()
    expect(page).to_contain_text("注销账户")


def accept_mandate(phone: PhonePage) -> None:
    """The relative is told by SMS and accepts."""
    page = phone.mini.locator("#page")
    phone.sms("委托")
    phone.press("我的账户")
    phone.go("家人代办")
    expect(page).to_contain_text("王小明委托我")
    phone.press("接受")
    expect(page.get_by_role("button", name="代办", exact=True)).to_be_visible()


def act_for_principal(phone: PhonePage) -> None:
    """A deferral begun for the principal."""
    page = phone.mini.locator("#page")
    phone.press("代办")
    expect(page).to_contain_text("为王小明办理")
    phone.press("开始代办")
    expect(page).to_contain_text("驾驶证延期换证")
    expect(page.get_by_label("延期截止日期")).to_be_visible()
    for _ in range(3):
        phone.back()
    expect(page).to_contain_text("注销账户")


def read_export(phone: PhonePage, folder: Path) -> None:
    """The file says who it is about, in clear, and knows the mandate."""
    phone.go("导出我的信息")
    phone.code("用于导出个人信息")
    with phone.page.expect_download() as coming:
        phone.press("下载")
    kept = folder / "export.json"
    coming.value.save_as(kept)
    text = kept.read_text()
    assert RELATIVE_ID in text
    assert RELATIVE_PHONE in text
    assert "李秀英" in text
    assert ID_NUMBER not in text
    expect(phone.mini).to_contain_text("已下载")


def close(phone: PhonePage) -> None:
    """What stays is listed; the login ends, and WeChat does not log in any more."""
    page = phone.mini.locator("#page")
    phone.press("我的账户")
    phone.go("注销账户")
    phone.code("用于注销")
    phone.press("注销账户")
    phone.consent("确定")
    dialog = phone.page.locator("#ask")
    expect(dialog).to_contain_text("依法保存的")
    dialog.get_by_role("button", name="知道了").click()
    phone.press("微信登录")
    expect(page.get_by_role("alert")).to_contain_text("注册")
