"""What a citizen wants, read from free words: the house's own words first, then the catalogue.

A word of the house or a service's own name counts only when it is meant beyond doubt; anything
nearer or further is offered as a choice of two, so that no deed follows from a guess.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from rules.catalogue import Service

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "menu": ("菜单", "主菜单", "首页", "目录", "menu", "开始"),
    "help": ("帮助", "怎么用", "使用帮助", "人工", "人工客服", "客服", "help", "?"),
    "progress": ("进度", "查进度", "查询进度", "办理进度", "我的进度", "我的办件", "办件", "进展"),
    "register": ("注册", "实名注册", "我要注册", "登记注册"),
    "switch": (
        "登录",
        "切换",
        "换人",
        "切换账户",
        "切换账号",
        "换账户",
        "换账号",
        "换个人",
        "绑定",
    ),
    "cancel": ("取消", "退出", "不办了", "算了", "停止", "结束"),
    "back": ("返回", "上一步", "后退", "返回上一步"),
    "resume": ("继续", "接着办", "继续办理"),
    "services": ("全部服务", "所有服务", "服务", "办事指南", "指南", "业务", "办理业务"),
    "offices": ("窗口", "附近窗口", "车管所", "车管所地址", "办事窗口"),
    "me": ("我的信息", "我的", "我", "个人信息", "账户"),
    "vehicles": ("我的车", "我的车辆", "我的机动车", "我的汽车", "机动车"),
    "unbind": ("解绑", "解除绑定", "解绑微信", "微信解绑", "解除微信绑定"),
    "devices": ("我的设备", "登录设备", "设备", "设备管理", "我的登录"),
    "sign_out": ("退出其他设备", "退出所有设备", "退出全部设备", "退出设备"),
    "privacy": ("隐私", "隐私政策", "隐私声明", "个人信息保护", "个人信息处理告知", "隐私告知"),
    "book_exam": (
        "约考",
        "预约",
        "预约考试",
        "考试预约",
        "我要约考",
        "驾考",
        "驾考预约",
        "预约驾考",
    ),
    "cancel_exam": (
        "取消预约考试",
        "取消预约",
        "取消考试",
        "取消考试预约",
        "取消约考",
        "退考",
        "退出候补",
        "取消候补",
    ),
    "my_exams": (
        "我的预约",
        "我的考试",
        "我的考试预约",
        "我的候补",
        "预约进度",
        "候补",
        "候补进度",
    ),
    "exam_record": (
        "考试成绩",
        "考试记录",
        "我的成绩",
        "查成绩",
        "成绩",
        "驾考成绩",
        "学员记录",
        "考试次数",
    ),
    "exam_plans": ("考试计划", "驾考计划", "考试安排", "考试场次", "考试时间"),
    "exam_sites": ("考场", "考场查询", "考场地址", "考场在哪", "考场在哪里", "考试路线"),
    "accept": ("接受", "我接受", "接受名额", "确认接受", "要这个名额"),
    "decline": ("放弃", "我放弃", "放弃名额", "不要这个名额"),
    "accept_change": ("接受变动", "接受变更", "同意变动", "同意变更"),
    "mandates": ("委托", "我的委托", "委托办理", "委托代办", "代办", "亲属代办", "撤销委托"),
    "close": ("注销账户", "注销账号", "我要注销账户", "销户", "注销我的账户", "注销注册"),
    "hello": ("你好", "您好", "在吗", "hello", "hi", "早上好", "下午好", "晚上好", "嗨"),
    "thanks": ("谢谢", "多谢", "感谢", "谢谢你", "谢谢您", "好的", "好", "ok", "知道了", "明白了"),
}
"""Words that are a command when they are all that was said."""

_SUBJECT = "科目?[一二三四1-4]"
_EXAM = f"考试|驾考|约考|{_SUBJECT}|候补"
_HINTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "cancel_exam",
        re.compile(
            f"(取消|退掉|退了|退出|不想?参加|不想?去|不想?考).{{0,8}}({_EXAM})"
            f"|({_EXAM}).{{0,8}}(取消|退掉|退了|不去了|不考了|不想考|去不了|考不了|参加不了)"
        ),
    ),
    (
        "exam_record",
        re.compile(
            "科目?[一二三四1-4].{0,6}(挂|没过|没考过|不及格|不合格|几次|成绩)"
            "|(什么时候|多久|哪天|几号).{0,6}(再考|重考|补考|考科目)"
            "|(还能|还可以|还剩).{0,4}(考|约|预约)?几次|考试成绩|考了多少"
        ),
    ),
    (
        "exam_plans",
        re.compile("考试(计划|安排)|哪些?天?有考试"),
    ),
    (
        "exam_seats",
        re.compile(
            f"(有没有|还有|什么时候有|哪天有|几号有).{{0,6}}({_SUBJECT}|考试|名额|场次)"
            f"|({_SUBJECT}|考试).{{0,8}}(有没有|有吗|还有|有.{{0,4}}名额|有空位|有位置|有场次)"
        ),
    ),
    ("exam_sites", re.compile("考场.{0,4}(在哪|哪里|怎么走|有哪些|地址|电话)|考试路线")),
    (
        "my_exams",
        re.compile(
            "(我的?|预约|约的?).{0,4}(考试|科目?[一二三四]).{0,6}(成功|确认|哪天|几点|在哪)"
            "|排到(第?几|哪)|候补.{0,6}(到|第几|怎么样)"
        ),
    ),
    ("book_exam", re.compile("约考|(约|想考|要考|报考?).{0,12}(科目?[一二三四1-4]|考试)")),
    ("withdraw", re.compile("撤回|撤销申请|撤掉申请")),
    ("progress", re.compile("进度|办好了吗|办得怎么样|办到哪|审核.*(没|了吗|结果)|批了吗|催")),
    ("register", re.compile("(怎么|如何|我要|我想|去).{0,3}注册")),
    ("offices", re.compile("车管所|窗口.*(哪|地址)|去哪里?办|在哪里?办")),
)
_GUIDE = re.compile(
    "材料|条件|怎么办|如何办|流程|多久|多长时间|几天|费用|多少钱|要什么|需要|指南|规定"
)
_FILLING = re.compile(
    "我想|我要|想要|请问|一下|办理|申请|怎么|如何|帮我|我的|需要|什么|材料|条件|流程|可以|能不能|吗|呢|啊|的"
)
_SHORT = 2
_SURE, _LIKELY, _AHEAD = 92.0, 55.0, 15.0


@dataclass(frozen=True)
class Intent:
    """``command`` (a key of COMMANDS, withdraw or exam_seats), a ``service`` or its ``guide``, or a
    choice of services to ``offer``; ``unknown`` when nothing fits."""

    kind: Literal["command", "service", "guide", "offer", "unknown"]
    name: str = ""
    services: tuple[str, ...] = ()


UNKNOWN = Intent("unknown")


def command(text: str) -> str | None:
    """The command that is all that was said."""
    plain = text.lower()
    return next((name for name, words in COMMANDS.items() if plain in words), None)


def named(text: str, services: Iterable[Service]) -> str | None:
    """The code of the service whose title or synonym is all that was said."""
    plain = text.removeprefix("办理").removeprefix("申请").removeprefix("我要")
    return next((s.code for s in services if plain in _names(s)), None)


def understand(text: str, services: Iterable[Service]) -> Intent:
    """What a message outside any question asks for."""
    known = tuple(services)
    word = command(text)
    if word is not None:
        return Intent("command", word)
    code = named(text, known)
    if code is not None:
        return Intent("service", code)
    ranked = _ranked(text, known)
    best = ranked[0] if ranked else (0.0, "")
    second = ranked[1][0] if len(ranked) > 1 else 0.0
    sure = best[0] >= _SURE and best[0] - second >= _AHEAD
    if sure and _GUIDE.search(text):
        return Intent("guide", best[1])
    for name, pattern in _HINTS:
        if pattern.search(text):
            return Intent("command", name)
    if sure:
        return Intent("service", best[1])
    near = tuple(code for score, code in ranked[:2] if score >= _LIKELY)
    return Intent("offer", services=near) if near else UNKNOWN


def _ranked(text: str, services: tuple[Service, ...]) -> list[tuple[float, str]]:
    bare = _FILLING.sub("", text)
    if len(bare) < 2:
        return []
    scored = [(max(_alike(bare, name) for name in _names(s)), s.code) for s in services]
    return sorted(scored, key=lambda pair: -pair[0])


def _alike(text: str, name: str) -> float:
    if name in text:
        return 100.0
    # Characters in common count as much as order: people swap and shorten the words of a title. Of
    # two characters one in common is nothing: 纽约 is no wish to 约考.
    short = len(text) <= _SHORT and text not in name
    return max(fuzz.ratio(text, name), 0.0 if short else 0.9 * fuzz.partial_ratio(text, name))


def _names(service: Service) -> tuple[str, ...]:
    return (service.title, *service.synonyms, *service.examples)
