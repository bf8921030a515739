"""The third story: two students and one place in a driving test (REQ B1–B7).

The place is taken, waited for, given up, offered and accepted by one word in the chat; the office
publishes, books for a caller, tells in time, reminds, and the results lead to the licence.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

from bianmin.demo import exam_files as files
from bianmin.demo.people import Answer, OfficerAtDesk, Person, hidden, new_person
from bianmin.demo.stage import Stage
from bianmin.demo.student import CLERK, STUDENT, STUDENT_ID, StudentStory
from bianmin.demo.telling import Teller, Telling
from rules.calendar import HOUSE_ZONE

SECOND_ID = "41010520030505342X"
SECOND = "孙小学"
SECOND_PHONE = "13900010012"
_TELLING_DAYS, _CLOSING_DAYS = 2, 3


class ExamStory(Telling):
    """Told beside the second story: its student holds the place, another one waits for it."""

    def __init__(
        self, place: Stage, teller: Teller, office: OfficerAtDesk, student: StudentStory
    ) -> None:
        super().__init__(place, teller)
        self.office, self.student, self.name = office, student, "小孙"
        self.today = datetime.now(HOUSE_ZONE).date()
        self.day = self.today + timedelta(days=15)
        self.booking = ""
        self.other_plan = ""

    @property
    def other(self) -> Person:
        """The student of the second story."""
        return self.student.me

    async def the_corrected_row(self) -> None:
        """The row that was turned back, put right; its student logs in in the chat."""
        self.teller.chapter("改好的那一行再报一次")
        await self.student.send([(SECOND_ID, SECOND, SECOND_PHONE)])
        await self.student.approve((await self.student.waiting()).pop())
        self.me = await new_person(self.place.sandbox, self.place.service, "小孙", SECOND_PHONE)
        await self.sms_about("审核通过")
        await self.me.event("subscribe")
        await self.say("登录")
        await self.say(SECOND_ID)
        answer = await self.say(await self.me.code())
        self.must("学员在聊天里登录", "登录成功" in answer, answer)

    async def permits_and_plans(self) -> None:
        """Sites, a plan, permits and the theory test come by file."""
        self.teller.chapter("考场、考试计划、学习驾驶证明按文件导入")
        answer = await self.say("约考科目二")
        self.must("还不能约的，说明差什么", "科目一合格后" in answer, answer)
        await asyncio.gather(self.publish_by_file(), self.record_by_file())
        await self.seats(left=1, booked=0)
        record = (await self.other.call("GET", "/exam-results")).body
        second = record["subjects"][1]
        held = record["subjects"][0]["passed"] and second["left"] == 5 and second["bookable_from"]
        self.must("预约前看得到：科目一已合格，科目二还有五次、现在可约", bool(held), record)

    async def publish_by_file(self) -> None:
        """The sites first: a plan names one."""
        await self.take_in("exam-sites", files.sites())
        await self.take_in("exam-plans", files.plans(self.day))

    async def record_by_file(self) -> None:
        """What the internal system knows of both students."""
        students = {STUDENT_ID: STUDENT, SECOND_ID: SECOND}
        await self.take_in("learner-permits", files.permits(self.today, students))
        passed = self.today - timedelta(days=35)
        rows = [files.result(who, "1", passed, "合格") for who in students]
        await self.take_in("exam-results", rows)

    async def last_seat(self) -> None:
        """Booked in the mini-program; no school may."""
        self.teller.chapter("小程序约最后一个名额")
        clerk = self.student.officers[CLERK]
        for path in ("/desk/exams", "/desk/exams/student"):
            page = await clerk.page(path)
            self.must(f"驾校不能约考、占号：{path}", page.status == 403, page.status)
        key = "the-last-seat-in-the-demo"
        for _ in range(2):
            made = await self.other.call("POST", "/bookings", {"plan": files.FULL}, key)
            self.must("约到最后一个名额", made.status == 201, made.body)
        mine = (await self.other.call("GET", "/bookings")).body
        self.must("同一个请求发两次，只有一个预约", len(mine) == 1, mine)
        again = await self.other.call("POST", "/waiting-list", {"plan": files.FULL})
        self.must("同一科目不能又约又候补", again.body["code"] == "already-booked", again.body)
        await self.seats(left=0, booked=1)

    async def in_line(self) -> None:
        """The session is full: a place in line, in the chat."""
        self.teller.chapter("聊天里候补")
        await self.say("约考科目二")
        answer = await self.say(files.SITE_NAME)
        self.must("名额满了，可以候补", "有名额的场次没有了" in answer, answer)
        answer = await self.say("1")
        self.must("候补前看清时间、考场和位置", "候补第1位" in answer, answer)
        answer = await self.say("1")
        self.must("已排队，第1位", "第1位" in answer and "编号" in answer, answer)
        self.booking = _number(answer)
        await self.sms_about("已排队候补")

    async def offered(self) -> None:
        """The other one cancels; the place goes to who waits, not to who comes by."""
        self.teller.chapter("有人取消，名额给候补的人")
        mine = (await self.other.call("GET", "/bookings")).body[0]
        gone = await self.other.call("DELETE", f"/bookings/{mine['number']}")
        self.must("截止前网上取消，不计次数", gone.body["state"] == "withdrawn", gone.body)
        snatched = await self.other.call("POST", "/bookings", {"plan": files.FULL})
        self.must("空出的名额不给后来的人", snatched.body["code"] == "plan-full", snatched.body)
        text = await self.sms_about("空出名额")
        self.teller.says("短信", text)
        answer = await self.say("接受")
        self.must("一个词接受", "已接受" in answer, answer)
        await self.seats(left=0, booked=1)

    async def at_the_desk(self) -> None:
        """A session published too late, then one that may be."""
        self.teller.chapter("窗口公布场次")
        late = await self.publish(self.today + timedelta(days=5))
        self.must("不足10日的计划不能公布", late.status == 422, late.status)
        self.must("说明最早哪一天", "至少提前10日" in late.raw.decode())
        made = await self.publish(self.day)
        self.must("提前15日的可以公布", made.status == 200, made.status)
        self.other_plan = self.office.address.rpartition("/")[2].partition("?")[0]

    async def publish(self, day: object) -> Answer:
        """The desk's form; the closing is left to the platform."""
        page = await self.office.page("/desk/exams/new")
        return await self.office.form(
            "/desk/exams/new",
            {
                **{"cause": hidden(page, "cause"), "site": files.OTHER_SITE, "subject": "2"},
                **{"vehicle_class": "C1", "day": str(day), "starts": "14:00", "ends": "17:00"},
                **{"capacity": "5", "closes_at": ""},
            },
        )

    async def for_a_caller(self) -> None:
        """Who calls reads back a code sent to his own phone."""
        self.teller.chapter("电话代约")
        wish: dict[str, str | list[str]] = {"id_number": STUDENT_ID, "how": "caller"}
        page = await self.office.form("/desk/exams/student", wish)
        visit = self.office.address
        self.must("核实前不显示考试记录", "seat:" not in page.raw.decode(), page.status)
        await self.office.form(f"{visit}/code", {"do": "send"})
        page = await self.office.form(f"{visit}/code", {"code": await self.other.code()})
        self.must("来电人读出自己手机上的验证码", "seat:" in page.raw.decode(), page.status)
        wanted: dict[str, str | list[str]] = {
            "cause": hidden(page, "cause"),
            "wanted": f"seat:{self.other_plan}",
        }
        page = await self.office.form(f"{visit}/book", wanted)
        self.must("民警代约，给出编号", bool(_numbers(page)), page.status)
        mine = (await self.other.call("GET", "/bookings")).body[0]
        self.must("学员自己看得到", mine["plan"] == self.other_plan and mine["live"], mine)

    async def closing(self) -> None:
        """The plan closes three days before; all are told two days before at the latest."""
        closed = self.day - timedelta(days=_CLOSING_DAYS - 1)
        await self.clock(closed, time(0, 5), "计划截止")
        text = await self.sms_about("预约成功")
        self.teller.says("短信", text)
        self.must(
            "考试两天前告知：科目、时间、考场、单位和电话，不带链接",
            all(w in text for w in ("科目二", "08:30", files.SITE_NAME, "咨询电话"))
            and "http" not in text
            and self.day - closed >= timedelta(days=_TELLING_DAYS),
            text,
        )
        mine = (await self.other.call("GET", "/bookings")).body[0]
        gone = await self.other.call("DELETE", f"/bookings/{mine['number']}")
        self.must(
            "截止后网上不能取消，请到窗口", gone.body["code"] == "cancel-at-office", gone.body
        )
        self.teller.says("平台", gone.body["detail"] + gone.body["next"])

    async def the_eve(self) -> None:
        """Reminded at nine."""
        await self.clock(self.day - timedelta(days=1), time(9, 1), "考试前一天")
        self.teller.says("短信", await self.sms_about("考试提醒"))

    async def results(self) -> None:
        """By file, twice; all passed leads to the licence."""
        await self.clock(self.day, time(20), "考试当天，成绩导入")
        rows = [
            files.result(SECOND_ID, "2", self.day, "合格", plan=files.FULL),
            files.result(STUDENT_ID, "2", self.day, "不合格", "合格", plan=self.other_plan),
            files.result(STUDENT_ID, "3", self.day, "合格"),
            files.result(STUDENT_ID, "4", self.day, "合格"),
        ]
        for _ in range(2):
            await self.take_in("exam-results", rows)
        self.teller.says("短信", await self.sms_about("考试合格"))
        told = [s["text"] for s in await self.notices() if "考试合格" in s["text"]]
        self.must("成绩导入两次，只告知一次", len(told) == 1, told)
        plan = (await self.other.call("GET", f"/exam-plans/{files.FULL}")).body
        self.must("成绩向社会公布，不带姓名", plan["outcomes"] == {"passed": 1}, plan)
        record = (await self.other.call("GET", "/exam-results")).body
        done = [s["passed"] for s in record["subjects"]]
        self.must("当场补考合格也算一次预约", done == [True] * 4, record)
        self.teller.says("短信", await self.student.sms_about("全部科目考试合格"))

    async def seats(self, *, left: int, booked: int) -> None:
        """What everybody sees of the session, without a login."""
        path = f"/api/v1/exam-plans?site={files.SITE}"
        plan = (await self.place.service.json("GET", path)).body["plans"][0]
        seen = (plan["left"], plan["booked"])
        self.must(f"不登录也看得到：剩{left}个，已约{booked}个", seen == (left, booked), plan)

    async def take_in(self, kind: str, rows: Sequence[Mapping[str, str]]) -> None:
        """A file of the internal system."""
        path = files.write(self.place.plan.settings.data_dir / f"{kind}.csv", rows)
        await asyncio.to_thread(self.place.command, "import", kind, str(path))
        self.teller.kept(f"导入 {kind}：{len(rows)} 行")

    async def clock(self, day: object, at: time, title: str) -> None:
        """Go on at another day, with every process' clock there."""
        self.teller.chapter(f"{title}（平台的时钟拨到 {day} {at:%H:%M}）")
        moment = datetime.combine(datetime.fromisoformat(str(day)).date(), at, HOUSE_ZONE)
        await self.place.turn_clock(moment)


def _numbers(page: Answer) -> list[str]:
    return re.findall(r"\b\d{12}\b", page.raw.decode())


def _number(text: str) -> str:
    found = re.search(r"\d{12}", text)
    return found[0] if found else ""
