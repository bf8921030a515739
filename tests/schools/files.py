"""Files as schools send them: students without number, portraits in an archive."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from PIL import Image, ImageDraw

from casework.tables import write_csv

HEADER = (
    "身份证号",
    "姓名",
    "手机号",
    "报考车型",
    "申请类别",
    "体检日期",
    "体检医院",
    "照片文件名",
)


def id_of(order: int) -> str:
    """The ID number of the n-th student: a different one for each, all of age."""
    born = date(1990, 1, 1) + timedelta(days=order // 100)
    body = f"410105{born:%Y%m%d}{order % 100 + 800:03d}"
    weights = [pow(2, 17 - i, 11) for i in range(17)]
    total = sum(w * int(c) for w, c in zip(weights, body, strict=True))
    return body + "10X98765432"[total % 11]


def student(order: int, medical_on: date, **changes: str) -> list[str]:
    """The row of the n-th student."""
    cells = {
        "身份证号": id_of(order),
        "姓名": "陈学员",
        "手机号": f"136{order:08d}",
        "报考车型": "C1",
        "申请类别": "初次申领",
        "体检日期": medical_on.isoformat(),
        "体检医院": "市第一人民医院",
        "照片文件名": "",
        **changes,
    }
    return [cells[name] for name in HEADER]


def table(rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV below its heading."""
    return write_csv([HEADER, *rows])


def portrait(order: int, size: tuple[int, int] = (480, 600)) -> bytes:
    """A small picture, a different one for each."""
    image = Image.new("RGB", size, "#dde3e8")
    draw = ImageDraw.Draw(image)
    for y in range(20, size[1] - 20, 20):
        draw.text((20, y), f"PORTRAIT {order:06d} " * 4, fill="#223344")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def archive(orders: Iterable[int], named: dict[str, bytes] | None = None) -> bytes:
    """A ZIP of their portraits by ID number, and of others by name."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as target:
        for order in orders:
            target.writestr(f"照片/{id_of(order)}.jpg", portrait(order))
        for name, content in (named or {}).items():
            target.writestr(name, content)
    return written.getvalue()
