"""The files of the third story as internal systems write them: sites, plans, permits, results."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

OFFICE = "4101V01"
FULL, SITE, OTHER_SITE = "4101-K2-1", "4101K1", "4101K2"
SITE_NAME = "郑州第一考场"
_LAYOUT = {"layout": "倒车入库、侧方停车等五项", "route": "", "process": "签到、抽号、考试、签字"}


def sites() -> list[dict[str, str]]:
    """Two sites of the vehicle office."""
    return [
        {
            **{"code": code, "name": name, "office": OFFICE, "address": f"郑州市示范路{number}号"},
            **{"phone": "0370-5550101", "hours": "工作日 8:00-17:00", "subjects": "2 3"},
            **{"daily_capacity": "40", **_LAYOUT},
        }
        for code, name, number in ((SITE, SITE_NAME, "21"), (OTHER_SITE, "郑州第二考场", "22"))
    ]


def plans(day: date) -> list[dict[str, str]]:
    """One session of subject two with a single place, closing as late as it may."""
    return [
        {
            **{"code": FULL, "office": OFFICE, "site": SITE, "subject": "2"},
            **{"vehicle_class": "C1", "day": day.isoformat(), "starts": "8:30", "ends": "11:30"},
            **{"capacity": "1", "closes_at": "", "status": "公布", "reason": ""},
        }
    ]


def permits(today: date, students: Mapping[str, str]) -> list[dict[str, str]]:
    """Learner permits of forty days ago. ``students``: ID number -> name."""
    issued = today - timedelta(days=40)
    until = issued.replace(year=issued.year + 3, day=min(issued.day, 28))
    return [
        {
            **{"id_number": number, "name": name, "number": f"4101X{number[-9:-1]}"},
            **{"vehicle_class": "C1", "issued_on": issued.isoformat()},
            "valid_until": until.isoformat(),
        }
        for number, name in students.items()
    ]


def result(
    who: str, subject: str, day: date, *tries: str, plan: str = "", reason: str = ""
) -> dict[str, str]:
    """One sitting: the first try and, where it was failed, the re-sit."""
    first, second = (*tries, "")[:2]
    return {
        **{"id_number": who, "plan": plan, "subject": subject, "day": day.isoformat()},
        **{"first": first, "second": second, "reason": reason},
    }


def write(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """The rows as a file."""
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
