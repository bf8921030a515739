"""What every chapter of the story needs: telling it, waiting for things, checking promises."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from rich.console import Console

from bianmin.demo.people import Answer, OfficerAtDesk, Person, hidden
from bianmin.demo.stage import Stage

NOTICE_SMS = "SMS_MATTER_NOTICE"
PATIENCE = 60.0
A_MINUTE = 61.0


class StoryBroken(Exception):
    """A promise was not kept."""


class Teller:
    """Prints the story as it happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def chapter(self, title: str) -> None:
        """A new chapter."""
        self._console.print(f"\n[bold cyan]── {title}[/bold cyan]")

    def says(self, who: str, text: str) -> None:
        """What somebody says or does."""
        lines = text.splitlines() or [""]
        self._console.print(f"[bold]{who:>4}[/bold]  {lines[0]}")
        for line in lines[1:]:
            self._console.print(f"      {line}")

    def kept(self, promise: str) -> None:
        """A promise that was checked."""
        self._console.print(f"      [green]✓ {promise}[/green]")


async def told(*chapters: Callable[[], Awaitable[None]]) -> None:
    """Chapters one after the other. Raises StoryBroken."""
    for chapter in chapters:
        await chapter()


class Telling:
    """A story under way: who is in it, what was promised; a broken promise ends it."""

    def __init__(self, place: Stage, teller: Teller) -> None:
        self.place = place
        self.teller = teller
        self.me: Person
        self.name = "小王"
        self.number = ""
        self.code_sent = 0.0
        self.officers: dict[str, OfficerAtDesk] = {}

    def must(self, promise: str, held: bool, seen: object = "") -> None:
        if not held:
            raise StoryBroken(f"{promise}；看到的是：{seen}")
        self.teller.kept(promise)

    async def say(self, text: str) -> str:
        self.teller.says(self.name, text)
        answer = await self.me.say(text)
        self.teller.says("平台", answer)
        return answer

    async def show(self, what: str, picture: bytes, kind: str) -> str:
        self.teller.says(self.name, f"[照片：{what}]".replace("[", "\\["))
        before = len(await self.me.chat())
        answer = await self.me.show(picture, kind)
        if not answer:
            answer = await self._late_answer(before)
        self.teller.says("平台", answer)
        return answer

    async def _late_answer(self, before: int) -> str:
        async def came() -> str:
            new = (await self.me.chat())[before:]
            return next((str(m["text"]) for m in new if m["from"] != "person"), "")

        return await self.until("迟到的回答由客服消息补上", came)

    async def until(self, promise: str, look: Callable[[], Awaitable[Any]]) -> Any:
        """Wait for something to come true."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < end:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.2)
        raise StoryBroken(f"{promise}：{PATIENCE:.0f} 秒内没有发生")

    async def log_in(self, username: str) -> OfficerAtDesk:
        officer = OfficerAtDesk(self.place.service)
        await officer.page("/desk/login")
        fields = {"username": username, "password": self.place.password(username), "code": ""}
        page = await officer.form("/desk/login", fields)
        self.must(f"民警 {username} 登录办理台", page.status == 200, page.status)
        self.officers[username] = officer
        return officer

    def decision(
        self, page: Answer, decision: str, more: dict[str, str | list[str]]
    ) -> dict[str, str | list[str]]:
        return {
            "cause": hidden(page, "cause"),
            "version": hidden(page, "version"),
            "decision": decision,
            "part": ["material:id_card", "material:reason_proof", "field:until"],
            **more,
        }

    async def notices(self) -> list[dict[str, Any]]:
        return [s for s in await self.me.sms() if s["template"] == NOTICE_SMS]

    async def sms_about(self, words: str) -> str:
        async def came() -> str:
            return next((s["text"] for s in await self.notices() if words in s["text"]), "")

        found = str(await self.until(f"短信“{words}”送达", came))
        self.teller.kept(f"短信告知：{words}")
        return found

    async def subscribe_about(self, words: str) -> bool:
        return any(m.get("via") == "subscribe" and words in str(m) for m in await self.me.chat())

    async def wait_for_new_code(self) -> None:
        """One code a minute: the platform's limit and the gateway's, so the story waits too."""
        rest = self.code_sent + A_MINUTE - asyncio.get_running_loop().time()
        if rest > 0:
            self.teller.says(self.name, f"(每分钟只能要一次验证码，等 {rest:.0f} 秒)")
            await asyncio.sleep(rest)
