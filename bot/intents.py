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
    "mandates": ("委托", "我的委托", "委托办理", "委托代办", "代办", "亲属代办", "撤销委托"),
    "close": ("注销账户", "注销账号", "我要注销账户", "销户", "注销我的账户", "注销注册"),
    "hello": ("你好", "您好", "在吗", "hello", "hi", "早上好", "下午好", "晚上好", "嗨"),
    "thanks": ("谢谢", "多谢", "感谢", "谢谢你", "谢谢您", "好的", "好", "ok", "知道了", "明白了"),
}
"""Words that are a command when they are all that was said."""

_HINTS: tuple[tuple[str, re.Pattern[str]], ...] = (
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
_SURE, _LIKELY, _AHEAD = 92.0, 55.0, 15.0


@dataclass(frozen=True)
class Intent:
    """``command`` (a key of COMMANDS, or withdraw), a ``service`` or its ``guide``, or a choice of
    services to ``offer``; ``unknown`` when nothing fits."""

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
    # Characters in common count as much as order: people swap and shorten the words of a title.
    return max(fuzz.ratio(text, name), 0.9 * fuzz.partial_ratio(text, name))


def _names(service: Service) -> tuple[str, ...]:
    return (service.title, *service.synonyms, *service.examples)
