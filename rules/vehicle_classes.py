"""The vehicle classes of driving licences (准驾车型), in the order of 162令 第十一条 (附件1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_CODE = re.compile(r"[A-Z][0-9]?")


@dataclass(frozen=True)
class VehicleClass:
    """``ages`` names the group of 第十四条 whose ages hold; ``first`` and ``added`` say whether
    somebody without a licence, or with one, may apply for the class (第十六条)."""

    name: str
    ages: str
    first: bool = True
    added: bool = True


CLASSES: Mapping[str, VehicleClass] = {
    "A1": VehicleClass("大型客车", "large", first=False),
    "A2": VehicleClass("重型牵引挂车", "large", first=False),
    "A3": VehicleClass("城市公交车", "medium"),
    "B1": VehicleClass("中型客车", "medium", first=False),
    "B2": VehicleClass("大型货车", "medium"),
    "C1": VehicleClass("小型汽车", "small"),
    "C2": VehicleClass("小型自动挡汽车", "small"),
    "C3": VehicleClass("低速载货汽车", "light"),
    "C4": VehicleClass("三轮汽车", "light"),
    "C5": VehicleClass("残疾人专用小型自动挡载客汽车", "small", added=False),
    "C6": VehicleClass("轻型牵引挂车", "medium", first=False),
    "D": VehicleClass("普通三轮摩托车", "light"),
    "E": VehicleClass("普通二轮摩托车", "light"),
    "F": VehicleClass("轻便摩托车", "small"),
    "M": VehicleClass("轮式专用机械车", "light"),
    "N": VehicleClass("无轨电车", "medium"),
    "P": VehicleClass("有轨电车", "medium"),
}
"""Code -> class. The classes of a group ``small`` have no upper age."""


def classes_of(written: str) -> frozenset[str]:
    """The classes on a licence as it writes them: ``A2D`` -> A2 and D."""
    return frozenset(_CODE.findall(written.upper()))
