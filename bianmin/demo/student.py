"""The second story: a driving student, from the school's file to the licence.

A school sends a file; two rows are turned back with the reason, the vehicle office approves the
rest at one click, the student logs in and may do driving tests only, and on getting the licence he
is a licence holder with face-signed rights, by himself (REQ A3, A4, A6).
"""

import asyncio
import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bianmin.demo.faces import portrait_jpeg
from bianmin.demo.people import OfficerAtDesk, Upload, hidden, new_person
from bianmin.demo.stage import Stage
from bianmin.demo.telling import Teller, Telling
from rules.calendar import HOUSE_ZONE

STUDENT_ID = "410105200208153410"
STUDENT = "钱学车"
STUDENT_PHONE = "13900010011"
OWNER_ID = "41060219951123462X"
OWNER = "陈丽华"
CLERK = "pingan"
_HEADER = (
    *("id_number", "name", "phone", "vehicle_class"),
    *("application", "medical_on", "medical_hospital"),
)


class StudentStory(Telling):
    """Told beside the first story, on the same stage; the licence comes last."""

    def __init__(self, place: Stage, teller: Teller, office: OfficerAtDesk) -> None:
        super().__init__(place, teller)
        self.office = office

    async def the_schools_file(self) -> None:
        """Three rows: one good, one with a wrong phone, one who must be face-signed first."""
        self.teller.chapter("驾校批量报送学员")
        clerk = await self.log_in(CLERK)
        rows = [
            (STUDENT_ID, STUDENT, STUDENT_PHONE),
            ("41010520030505342X", "孙小学", "12345"),
            (OWNER_ID, OWNER, "13900010004"),
        ]
        address = await self.send(rows)
        text = (await clerk.page(address)).raw.decode()
        self.must("名下有车又没面签的，当场说明先去面签", "面签" in text, text)
        errors = await clerk.page(f"{address}/errors.csv")
        lines = errors.raw.decode("utf-8-sig").splitlines()
        self.must("错误可下载，一行一条", len(lines) == 3, lines)
        await self.send(rows)
        numbers = await self.waiting()
        self.must("重传不重复：只有一件待审核", len(numbers) == 1, numbers)
        self.number = numbers.pop()

    async def send(self, rows: Sequence[tuple[str, str, str]]) -> str:
        """A file of the school's, sent and worked off: the address of its page. ``rows``: ID
        number, name, phone."""
        clerk = self.officers[CLERK]
        medical = (datetime.now(UTC) - timedelta(days=9)).date().isoformat()
        whole = [(*row, "C1", "初次申领", medical, "市第一人民医院") for row in rows]
        page = await clerk.page("/desk/batches")
        files = {
            "table": Upload("学员.csv", _table(whole), "text/csv"),
            "portraits": Upload("照片.zip", _portraits(whole), "application/zip"),
        }
        page = await clerk.upload("/desk/batches", {"cause": hidden(page, "cause")}, files)
        self.must("上传后就有进度页", "/desk/batches/" in clerk.address, page.status)
        address = clerk.address.partition("?")[0]

        async def done() -> bool:
            text = (await clerk.page(address)).raw.decode()
            return 'http-equiv="refresh"' not in text

        await self.until(f"{len(rows)} 行都处理完", done)
        return address

    async def approved(self) -> None:
        """One click for all that are ticked."""
        self.teller.chapter("车管所审核学员")
        await self.approve(self.number)

    async def approve(self, number: str) -> None:
        """Tick it on the work list, and the one click."""
        page = await self.office.page("/desk/")
        row = rf'name="chosen" value="({number}-\d+)"'
        chosen = re.search(row, page.raw.decode())
        self.must("学员在车管所的清单上，可勾选", chosen is not None)
        assert chosen is not None
        form: dict[str, str | list[str]] = {
            "cause": hidden(page, "cause"),
            "chosen": chosen[1],
        }
        page_after = await self.office.form("/desk/approve-many", form)
        self.must("一次通过勾选的", number in page_after.raw.decode(), page_after.status)

    async def waiting(self) -> set[str]:
        """The numbers of the school's students not decided yet."""
        home = (await self.officers[CLERK].page("/desk/students?state=submitted")).raw.decode()
        self.must("清单上姓名遮盖", STUDENT not in home and STUDENT_ID not in home)
        return set(re.findall(r"\b\d{12}\b", home))

    async def first_login(self) -> None:
        """ID number and SMS code; driving tests only."""
        self.teller.chapter("学员第一次登录")
        self.me = await new_person(self.place.sandbox, self.place.service, "小钱", STUDENT_PHONE)
        await self.sms_about("审核通过")
        sent = await self.me.call(
            "POST", "/sms-codes", {"purpose": "login", "id_number": STUDENT_ID}
        )
        self.must("验证码发到报名时留的手机", sent.status == 200, sent.body)
        body = {
            "id_number": STUDENT_ID,
            "sms_code": await self.me.code(),
            "wechat_code": await self.me.wx_login(),
        }
        done = await self.me.call("POST", "/login/id-number", body)
        self.must("首次登录即激活学员账户", done.body.get("tiers") == ["student"], done.body)
        self.me.token = done.body["token"]
        refused = await self.me.call("POST", "/matters", {"service": "licence-deferral"})
        self.must("学员只能办驾考，说明差什么、去哪里", refused.status == 403, refused.body)
        self.teller.says("平台", refused.body["detail"] + refused.body["next"])

    async def licensed(self) -> None:
        """The internal system reports the licence; rights follow by themselves."""
        self.teller.chapter("领证，自动转为面签用户")
        path = self.place.plan.settings.data_dir / "licence-issues.csv"
        today = datetime.now(HOUSE_ZONE).date()
        until = today.replace(year=today.year + 6, day=min(today.day, 28))
        _issue(path, str(today), str(until))
        for _ in range(2):
            await asyncio.to_thread(self.place.command, "import", "licence-issues", str(path))
        text = await self.sms_about("已领取驾驶证")
        self.teller.says("短信", text)
        seen = await self.me.call("GET", "/me")
        self.must("不用再面签", seen.body["tiers"] == ["face_signed"], seen.body)
        self.must("驾驶证已绑定", seen.body["licences"][0]["bound"], seen.body)
        told = [s["text"] for s in await self.notices()]
        self.must("文件导入两次，只告知一次", len(told) == len(set(told)), told)


def _table(rows: Sequence[tuple[str, ...]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows([_HEADER, *rows])
    return written.getvalue().encode("utf-8-sig")


def _portraits(rows: Sequence[tuple[str, ...]]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as target:
        for row in rows:
            target.writestr(f"{row[0]}.jpg", portrait_jpeg(row[0], today=True))
    return written.getvalue()


def _issue(path: Path, issued: str, until: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(
            (
                *("id_number", "name", "phone", "number", "vehicle_class"),
                *("issued_on", "valid_from", "valid_until", "issuing_office"),
            )
        )
        row = (STUDENT_ID, STUDENT, STUDENT_PHONE, STUDENT_ID, "C1")
        writer.writerow((*row, issued, issued, until, "4101V01"))
