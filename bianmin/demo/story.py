"""The story of 小王 and his licence, told and checked line by line; beside it two students'.

Every ``must`` is a promise of the platform; a broken one ends the demo with exit code 1.
"""

import asyncio
import csv
import re
import secrets
from collections import Counter
from pathlib import Path

from bianmin.demo.exam import ExamStory
from bianmin.demo.faces import portrait_jpeg
from bianmin.demo.people import Answer, Upload, new_person
from bianmin.demo.pictures import id_card_jpeg, no_picture, proof_heic, proof_png
from bianmin.demo.stage import Stage
from bianmin.demo.student import StudentStory
from bianmin.demo.telling import Teller, Telling, told

ID_NUMBER = "41010519900307131X"
NAME = "王小明"
PHONE = "13900010001"
COLLEAGUE_ID = "410105198505055198"
COLLEAGUE = "刘洋"
STRANGER_PHONE = "13900019999"


async def tell(place: Stage, teller: Teller) -> None:
    """All chapters in order. Raises StoryBroken."""
    story = _Story(place, teller)
    await told(
        *(story.hello, story.wrong_phone, story.registered, story.face_signed),
        story.applied_in_chat,
    )
    # There is a code a minute: meanwhile a school enrols its students, and they book a test.
    office = story.officers["zhengzhou"]
    student = StudentStory(place, teller, office)
    await told(student.the_schools_file, student.approved, student.first_login)
    exam = ExamStory(place, teller, office, student)
    await told(
        *(exam.the_corrected_row, exam.permits_and_plans, exam.last_seat, exam.in_line),
        *(exam.offered, exam.at_the_desk),
    )
    await told(
        *(story.in_the_mini_program, story.sent_back, story.killed_in_the_middle),
        *(story.approved, story.to_the_internal_system, story.counted),
    )
    await told(exam.for_a_caller, exam.closing, exam.the_eve, exam.results)
    await student.licensed()


class _Story(Telling):
    async def hello(self) -> None:
        """Following the account."""
        self.teller.chapter("关注公众号")
        checked = await self.place.sandbox.json("POST", "/sandbox/verify", {})
        self.must("微信验证回调地址，服务通过", checked.body["status"] == 200, checked.body)
        self.me = await new_person(self.place.sandbox, self.place.service, "小王", PHONE)
        self.teller.says("小王", "(关注)")
        greeting = await self.me.event("subscribe")
        self.teller.says("平台", greeting)
        self.must("一关注就有问候和菜单", "延期换证" in greeting, greeting)

    async def wrong_phone(self) -> None:
        """A phone that is not the one on file."""
        self.teller.chapter("登记手机号不符")
        await self.say("我要出国，想办延期换证")
        await self.say("1")
        # Somebody else's data: he means to help a colleague, with a phone that is not on file.
        await self.say(COLLEAGUE_ID)
        await self.say(COLLEAGUE)
        self.me.phone = STRANGER_PHONE
        await self.say(STRANGER_PHONE)
        answer = await self.say(await self.me.code())
        self.must("不说哪一项错，只请到窗口", "不一致" in answer, answer)
        self.must("说明去哪个车管所", "郑州市公安局车辆管理所" in answer, answer)

    async def registered(self) -> None:
        """Registering with the phone on file."""
        self.teller.chapter("实名注册")
        self.me.phone = PHONE
        await self.say("1")
        await self.say("４１０１０５ 19900307 131x")
        await self.say(NAME)
        await self.say("139 0001 0001")
        self.code_sent = asyncio.get_running_loop().time()
        answer = await self.say(await self.me.code())
        self.must("注册成功", "注册成功" in answer, answer)
        answer = await self.say("延期换证")
        self.must("直接注册的人不能办驾驶证业务，并说明差什么、去哪里", "面签" in answer, answer)

    async def face_signed(self) -> None:
        """The wrong office, then the right one."""
        self.teller.chapter("面签：先走错了车管所")
        wrong = await self.log_in("anyang")
        page = await wrong.form("/desk/face-sign/person", {"id_number": ID_NUMBER})
        self.must("安阳车管所不能面签郑州核发的驾驶证", 'name="checked"' not in page.raw.decode())
        right = await self.log_in("zhengzhou")
        page = await right.form("/desk/face-sign/person", {"id_number": ID_NUMBER})
        visit = re.search(r"/desk/face-sign/[\w-]{43}", page.raw.decode())
        self.must("地址里没有身份证号，只有这次办理的编号", visit is not None, page.status)
        assert visit is not None
        fields: dict[str, str | list[str]] = {
            "phone": PHONE,
            "checked": ["card", "face", "papers"],
        }
        early = await right.form(f"{visit[0]}/receipt", fields)
        self.must("没有拍照比对，不能面签", early.status == 422, early.status)
        picture = portrait_jpeg(ID_NUMBER, today=True)
        face = Upload("face.jpg", picture, "image/jpeg")
        await right.upload(f"{visit[0]}/picture", {}, {"picture": face})
        for side in ("portrait", "picture"):
            seen = await right.page(f"{visit[0]}/{side}")
            self.must(
                "登记照片和现场照片并排，带水印", seen.raw[:3] == b"\xff\xd8\xff", seen.status
            )
        page = await right.form(f"{visit[0]}/receipt", fields)
        self.must("郑州车管所核对原件、比对照片后面签成功", page.status == 200, page.status)
        again = await right.form(f"{visit[0]}/receipt", fields)
        self.must("同一张表点两次只办一次", _numbers(again) == _numbers(page))
        text = await self.sms_about("面签")
        self.teller.says("短信", text)

    async def applied_in_chat(self) -> None:
        """The whole application in the chat, photos included."""
        self.teller.chapter("在聊天里申请")
        answer = await self.say("延期换证")
        self.must("先问延期事由", "延期事由" in answer, answer)
        answer = await self.say("出国留学")
        self.must("再问截止日期", "截止日期" in answer, answer)
        answer = await self.say("2040年3月1日")
        self.must("超过三年的当场说明", "三年" in answer or "3年" in answer, answer)
        await self.say("2028年3月1日")
        answer = await self.say("跳过")
        warned = "聊天会保留记录" in answer and "小程序" in answer
        self.must("第一张照片前说明聊天会保留记录，可改用小程序", warned, answer)
        await self.say("1")
        answer = await self.show("改名成 .jpg 的网页", no_picture(), "image/jpeg")
        self.must("不是图片的文件当场说清", "照片" in answer or "图片" in answer, answer)
        answer = await self.show("身份证（竖拍的 JPEG）", id_card_jpeg(), "image/jpeg")
        answer = await self.show("录取通知书（HEIC）", proof_heic(), "image/heic")
        if "完成" in answer:
            answer = await self.say("完成")
        self.must("提交前给出汇总", "2028" in answer, answer)
        answer = await self.say("确认提交")
        found = re.search(r"\d{12}", answer)
        self.must("提交成功并有办件编号", found is not None, answer)
        assert found is not None
        self.number = found[0]
        await self.sms_about("已提交")
        answer = await self.say("进度")
        self.must("随时查进度", self.number in answer, answer)

    async def in_the_mini_program(self) -> None:
        """The same matter in the other channel."""
        self.teller.chapter("小程序里继续")
        await self.wait_for_new_code()
        sent = await self.me.call(
            "POST", "/sms-codes", {"purpose": "login", "id_number": ID_NUMBER}
        )
        self.must("登录验证码已发送", sent.status in (200, 202), sent.body)
        body = {
            "id_number": ID_NUMBER,
            "sms_code": await self.me.code(),
            "wechat_code": await self.me.wx_login(),
        }
        done = await self.me.call("POST", "/login/id-number", body)
        self.must("身份证号加验证码登录，并绑定微信", done.status == 200, done.body)
        self.me.token = done.body["token"]
        seen = await self.me.call("GET", f"/matters/{self.number}")
        photos = [p for m in seen.body["materials"] for p in m["photos"]]
        self.must("聊天里的申请和两张照片都在", len(photos) == 2, len(photos))
        thumbnail = await self.place.service.ask("GET", photos[0]["thumbnail"])
        self.must("缩略图用短时签名地址", thumbnail.raw[:3] == b"\xff\xd8\xff", thumbnail.status)
        self.must("照片已转正", photos[0]["width"] > photos[0]["height"], photos[0])
        await self.me.consent(seen.body["consent_templates"][0])
        self.teller.kept("点一次同意，可收一条订阅消息")

    async def sent_back(self) -> None:
        """Every defect at once; told by subscribe message; put right in the mini-program."""
        self.teller.chapter("一次性告知，补正")
        officer = self.officers["zhengzhou"]
        page = await officer.page(f"/desk/matters/{self.number}")
        self.must("民警看到申请和照片", NAME in page.raw.decode(), page.status)
        fields = self.decision(
            page,
            "send_back",
            {
                "defect": ["material:reason_proof", "field:until"],
                "own:material:reason_proof": "缺少学校印章，请重新拍照",
                "own:field:until": "请填到录取通知书所载毕业日期",
            },
        )
        page = await officer.form(f"/desk/matters/{self.number}/decision", fields)
        self.must("退回补正，列出全部问题", page.status == 200, page.status)
        await self.until("订阅消息送达", lambda: self.subscribe_about("待补正"))
        self.teller.kept("有同意时用订阅消息告知，不发短信")
        seen = await self.me.call("GET", f"/matters/{self.number}")
        self.must("两处都要改", len(seen.body["defects"]) == 2, seen.body["defects"])
        refused = await self.me.upload(self.number, "id_card", id_card_jpeg(), "image/jpeg")
        self.must("没有点名的材料不能动", refused.body["code"] == "part-not-open", refused.body)
        old = [
            p["id"]
            for m in seen.body["materials"]
            if m["name"] == "reason_proof"
            for p in m["photos"]
        ]
        for photo in old:
            await self.me.call("DELETE", f"/matters/{self.number}/photos/{photo}")
        added = await self.me.upload(self.number, "reason_proof", proof_png(), "image/png")
        self.must("重传照片（PNG）", added.status in (200, 201), added.body)
        form = {"form": {"until": "2028-06-30"}}
        done = await self.me.call("PATCH", f"/matters/{self.number}", form)
        self.must("改好日期", done.status == 200, done.body)

    async def killed_in_the_middle(self) -> None:
        """SIGKILL of service and worker while the citizen submits; the same key is repeated."""
        self.teller.chapter("提交时服务进程被 SIGKILL")
        key = secrets.token_urlsafe(12)
        path = f"/matters/{self.number}/submit"
        first = asyncio.ensure_future(self.me.call("POST", path, {}, key))
        await asyncio.sleep(0.005)
        self.place.kill("service")
        self.place.kill("worker")
        try:
            self.teller.says("小王", f"(第一次：HTTP {(await first).status})")
        except OSError:
            self.teller.says("小王", "(连接断了，小程序用同一个幂等键重发)")

        async def again() -> Answer | None:
            try:
                return await self.me.call("POST", path, {}, key)
            except OSError:
                return None

        done = await self.until("服务重启", again)
        self.must("重发成功，只提交一次", done.status == 200, done.body)
        types = [e["type"] for e in done.body["timeline"]]
        self.must("时间线上只有一次重新提交", types.count("resubmitted") == 1, types)
        await self.sms_about("补正材料已提交")
        self.teller.kept("同意已用完：这一条改发短信")

    async def approved(self) -> None:
        """Approved; an older page is refused."""
        self.teller.chapter("批准")
        officer = self.officers["zhengzhou"]
        page = await officer.page(f"/desk/matters/{self.number}")
        stale = self.decision(page, "approve", {"version": "1"})
        page = await officer.form(f"/desk/matters/{self.number}/decision", stale)
        self.must("按旧页面作的决定不算数", page.status == 409, page.status)
        page = await officer.page(f"/desk/matters/{self.number}")
        fields = self.decision(page, "approve", {})
        page = await officer.form(f"/desk/matters/{self.number}/decision", fields)
        self.must("民警批准", page.status == 200, page.status)
        text = await self.sms_about("审核通过")
        self.teller.says("短信", text)
        self.must("短信写明不得驾驶，不带链接", "不得驾驶" in text and "http" not in text, text)

    async def to_the_internal_system(self) -> None:
        """Out by export, back by import."""
        self.teller.chapter("送内网，等回执")
        folder = self.place.plan.settings.data_dir
        decisions, answers = folder / "decisions.csv", folder / "acknowledgements.csv"
        await asyncio.to_thread(self.place.command, "export", "decisions", str(decisions))
        row = next(csv.DictReader(decisions.open(encoding="utf-8")))
        self.must("决定已导出，不用重新录入", row["number"] == self.number, row)
        _acknowledge(row, answers)
        for _ in range(2):
            await asyncio.to_thread(self.place.command, "import", "acknowledgements", str(answers))
        self.teller.kept("回执导入两次，只算一次")
        text = await self.sms_about("已办结")
        self.teller.says("短信", text)
        seen = await self.me.call("GET", "/licences")
        self.must("驾驶证显示延期", "2028-06-30" in seen.body[0]["deferral"], seen.body)
        answer = await self.say("进度")
        self.must("聊天里看到办结", "办结" in answer, answer)

    async def counted(self) -> None:
        """Nothing lost, nothing doubled."""
        self.teller.chapter("清点：不丢一条，不重一条")
        told = Counter(re.sub(r"\d{12}", "", s["text"]) for s in await self.notices())
        twice = [text for text, count in told.items() if count > 1]
        self.must("没有一条短信发了两次", not twice, twice)
        seen = await self.me.call("GET", "/notices")
        states = [n["state"] for n in seen.body]
        self.must("每条通知都已送出", all(s in ("sent", "delivered") for s in states), states)
        subscribed = sum(1 for m in await self.me.chat() if m.get("via") == "subscribe")
        self.must(
            f"时间线上 {len(states)} 条通知，手机上正好 {len(states)} 条",
            len(states) == sum(told.values()) + subscribed,
            f"{sum(told.values())} 条短信，{subscribed} 条订阅消息",
        )


def _numbers(page: Answer) -> list[str]:
    return re.findall(r"\b\d{12}\b", page.raw.decode())


def _acknowledge(row: dict[str, str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["batch", "number", "result", "reference", "message"])
        writer.writerow([row["batch"], row["number"], "ok", "NW-0001", ""])
