"""Two people at their screens: a citizen with the phone page, an officer at the desk. They click; a
word is typed only where no button offers it.
"""

import io
import os
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.support.faces import face

PICTURES = os.environ.get("BIANMIN_PICTURES")
"""A folder: the pictures of docs/the-story.md are then taken anew on the way."""

A_CODE_A_MINUTE = 61.0
"""Seconds between two codes to one phone, at the platform and at the gateway."""

SLOW = 20_000
"""Milliseconds for what goes through the worker, the gateway and back."""


def picture(page: Page, name: str, height: int = 800) -> None:
    """Keep what is on the screen, where pictures are asked for; in 256 colours, to stay small."""
    if not PICTURES:
        return
    page.bring_to_front()
    page.mouse.move(0, 0)
    page.set_viewport_size({"width": 1280, "height": height})
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(256, dither=Image.Dither.NONE).save(Path(PICTURES) / f"{name}.png", optimize=True)
    page.set_viewport_size({"width": 1280, "height": 800})


class PhonePage:
    """The three columns: chat, SMS, mini-program."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.chat = page.locator("#chat")
        self.inbox = page.locator("#inbox")
        self.mini = page.locator("#mini")

    def be(self, name: str) -> None:
        """Take up a demo person's phone."""
        self.page.get_by_role("button", name=re.compile(f"^{name}")).click()
        expect(self.mini).to_contain_text("可办事项")

    def be_another(self, name: str) -> None:
        """Take up another demo person's phone."""
        self.page.get_by_role("button", name="换一位市民").click()
        self.page.locator("#ask").get_by_role("button", name=re.compile(f"^{name}")).click()
        expect(self.mini).to_contain_text("欢迎使用")

    def be_somebody_else(self, phone: str, identity: str) -> None:
        """A phone no registry knows, and whose papers its owner shows."""
        self.page.get_by_role("button", name="换一位市民").click()
        dialog = self.page.locator("#ask")
        dialog.get_by_label("手机号").fill(phone)
        dialog.get_by_role("button", name="自己填一位").click()
        expect(self.page.locator("#number")).to_have_text(phone)
        self.follow()
        self.page.get_by_label("用谁的资料").select_option(identity)

    def be_again(self, phone: str) -> None:
        """Back to somebody who was there before."""
        choice = self.page.locator("#person option", has_text=phone)
        self.page.locator("#person").select_option(choice.get_attribute("value"))
        expect(self.page.locator("#number")).to_have_text(phone)

    def follow(self) -> None:
        """Follow the account; it greets."""
        self.page.get_by_role("button", name="关注", exact=True).click()
        self.hear("您好")

    def tap(self, *chips: str) -> None:
        """Shortcuts one after the other, each once the answer before it came."""
        for chip in chips:
            before = self._answers().count()
            self.page.locator("#shortcuts .chip", has_text=chip).first.click()
            expect(self._answers()).not_to_have_count(before, timeout=SLOW)

    def type(self, text: str) -> None:
        """Type a message."""
        self.page.get_by_label("消息", exact=True).fill(text)
        self.page.get_by_role("button", name="发送", exact=True).click()

    def hear(self, text: str) -> None:
        """The last thing the account said."""
        expect(self._answers().last).to_contain_text(text, timeout=SLOW)

    def _answers(self) -> Locator:
        return self.chat.locator(".bubble:not(.mine):not(.event)")

    def sms(self, text: str) -> None:
        """An SMS came."""
        expect(self.inbox).to_contain_text(text, timeout=SLOW)

    def subscribe_message(self, text: str) -> None:
        """A subscribe message came."""
        expect(self.chat.locator(".bubble.notice").last).to_contain_text(text, timeout=SLOW)

    def sample(self, where: Locator, name: str) -> None:
        """Send one of the page's sample pictures."""
        where.get_by_role("button", name="示例照片").click()
        self.page.locator("#ask").get_by_role("button", name=name).click()

    def press(self, name: str) -> None:
        """A button of the mini-program."""
        self.mini.get_by_role("button", name=name, exact=True).click()

    def go(self, title: str) -> None:
        """A line of the mini-program that opens a page: it begins with this title."""
        self.mini.get_by_role("button", name=re.compile(f"^{title}")).click()

    def back(self) -> None:
        """The mini-program's way back."""
        self.page.locator("#back").click()

    def code(self, purpose: str) -> None:
        """Ask for a code; it comes by SMS and is filled in from there."""
        codes = self.inbox.locator(".bubble", has_text=purpose)
        before = codes.count()
        self.press("获取验证码")
        expect(codes).to_have_count(before + 1, timeout=SLOW)
        codes.last.get_by_role("button", name="填入这个验证码").click()

    def register(self, name: str) -> None:
        """Register in the mini-program, up to its home page."""
        self.press("注册")
        self.press(f"填入{name}的资料")
        self.code("用于注册")
        self.press("注册")
        expect(self.mini).to_contain_text("还没有办件")

    def consent(self, answer: str) -> None:
        """What is tapped on WeChat's sheet."""
        self.page.locator("#ask").get_by_role("button", name=answer).click()


class Desk:
    """An officer's browser."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def log_in(self, username: str, password: str) -> None:
        """To the work list."""
        self.page.goto("/desk/")
        self.page.get_by_label("账号").fill(username)
        self.page.get_by_label("密码").fill(password)
        self.page.get_by_role("button", name="登录").click()

    def face_sign(self, id_number: str) -> None:
        """Check the person at the window and sign him up."""
        self.page.get_by_role("link", name="面签注册").click()
        self.page.get_by_label("身份证号").fill(id_number)
        self.page.get_by_role("button", name="查询").click()
        taken = {"name": "face.jpg", "mimeType": "image/jpeg", "buffer": face(id_number)}
        self.page.get_by_label("拍照或选择照片").set_input_files(taken)
        self.page.get_by_role("button", name="上传照片").click()
        for image in self.page.locator(".compare img").all():
            expect(image).to_have_js_property("complete", True)
        for check in self.page.get_by_role("checkbox").all():
            check.check()
        picture(self.page, "desk-face-sign", height=955)
        self.page.get_by_role("button", name="确认面签").click()
        expect(self.page.get_by_role("status")).to_contain_text("面签已完成")

    def work_list(self) -> None:
        """The work list."""
        self.page.goto("/desk/")

    def take_first(self) -> None:
        """The matter that waits longest; every photo of it is shown."""
        self.page.locator("table.list tbody a").first.click()
        for image in self.page.locator(".photo img").all():
            expect(image).to_have_js_property("complete", True)
            assert image.evaluate("image => image.naturalWidth") > 0

    def open_send_back(self) -> None:
        """Unfold 退回补正."""
        self.page.locator("summary", has_text="退回补正").click()

    def defect(self, part: str, own: str) -> None:
        """Name one defect in own words."""
        self.page.get_by_role("row", name=part).get_by_role("textbox").fill(own)

    def decide(self, button: str, done: str) -> None:
        """Decide and read that it counted."""
        self.page.get_by_role("button", name=button, exact=True).click()
        expect(self.page.get_by_role("status")).to_contain_text(done)
