"""Publishing and changing sessions of tests: every boundary, read and judged without a house."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.book import load_rulebook
from rules.calendar import HOUSE_ZONE
from rules.exams.plan import Plan, Subject
from rules.exams.publishing import (
    Around,
    Entry,
    changed_plan,
    code_fits,
    entry_of,
    not_cancellable,
    over,
    plan_of,
    read_entry,
    unfit,
    unfit_change,
)
from rules.exams.site import Site
from rules.facts import Office
from rules.places import (
    Owing,
    Places,
    cancelled,
    changed,
    closed,
    joined,
    released,
    settled,
    told_of_change,
)

BOOK = load_rulebook()
SITE = Site(
    **{"code": "4101K01", "name": "第一考场", "office": "4101V01", "address": "示范路1号"},
    **{"phone": "12123", "hours": "工作日"},
    subjects=(Subject.FIELD,),
    daily_capacity=60,
)
OFFICE = Office(
    **{"code": "4101V01", "name": "郑州市车管所", "kind": "vehicle_office", "region": "4101"},
    **{"address": "示范路1号", "hours": "工作日", "phone": "12123"},
)
WRITTEN = {
    **{"site": "4101K01", "subject": "2", "vehicle_class": "c1", "day": "2027年3月20日"},
    **{"starts": "8:30", "ends": "11：30", "capacity": "４０", "closes_at": "2027-03-15 18:00"},
}
TODAY = date(2027, 3, 1)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=HOUSE_ZONE).astimezone(UTC)


def read(**changes: str) -> Entry:
    entry, problems = read_entry({**WRITTEN, **changes}, BOOK)
    assert entry is not None and problems == []
    return entry


def around(today: date = TODAY, others: int = 0, site: Site | None = SITE) -> Around:
    return Around("4101V01", site, others, at(today, 12), today)


def names(problems: list[dict[str, str]]) -> list[str]:
    return [p["part"].removeprefix("field:") for p in problems]


def published() -> Plan:
    return plan_of(read(), "P1", OFFICE, SITE, at(TODAY, 9))


def test_an_entry_is_read_as_people_write_it() -> None:
    entry = read()
    assert (entry.vehicle_class, entry.day, entry.capacity) == ("C1", date(2027, 3, 20), 40)
    assert (entry.starts, entry.ends) == ("08:30", "11:30")
    assert entry.closes_at == at(date(2027, 3, 15), 18)
    for closing in ("2027-03-15T18:00", "2027年3月15日 18时00分", "20270315 1800"):
        assert read(closes_at=closing) == entry
    # A day alone is its last minute; nothing at all the latest there may be.
    assert read(closes_at="2027-03-15").closes_at == at(date(2027, 3, 15), 23, 59)
    assert read(closes_at="").closes_at == at(date(2027, 3, 17), 23, 59)
    assert entry_of(published()) == entry


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("subject", v) for v in ("", "5", "23", "科目二")),
        *(("vehicle_class", v) for v in ("", "C9")),
        *(("day", v) for v in ("", "2027-02-29", "soon")),
        *(("starts", v) for v in ("", "24:00", "8:60", "八点")),
        *(("capacity", v) for v in ("", "-1", "1.5", "many", "12345")),
        *(("closes_at", v) for v in ("soon", "2027-03-15 25:00", "18:00")),
        ("site", " "),
    ],
)
def test_what_cannot_be_read_is_named(field: str, value: str) -> None:
    entry, problems = read_entry({**WRITTEN, field: value}, BOOK)
    assert entry is None and names(problems) == [field]
    assert problems[0]["label"] and problems[0]["reason"]


@given(st.dictionaries(st.sampled_from(sorted(WRITTEN)), st.text(max_size=30)))
def test_whatever_is_typed_is_read_or_named(typed: dict[str, str]) -> None:
    entry, problems = read_entry({**WRITTEN, **typed}, BOOK)
    assert (entry is None) == bool(problems)
    assert set(names(problems)) <= set(typed)


@pytest.mark.parametrize(
    ("today", "day", "fits"),
    [
        # Five days by the announcement until 2022-03-31, ten since.
        (date(2016, 2, 1), date(2016, 2, 6), True),
        (date(2016, 2, 1), date(2016, 2, 5), False),
        (date(2022, 3, 31), date(2022, 4, 5), True),
        (date(2022, 4, 1), date(2022, 4, 10), False),
        (date(2022, 4, 1), date(2022, 4, 11), True),
    ],
)
def test_the_notice_period_to_the_day(today: date, day: date, fits: bool) -> None:
    entry = replace(read(), day=day, closes_at=at(day - timedelta(days=3), 18))
    assert (names(unfit(entry, around(today), BOOK)) == []) == fits
    if not fits:
        assert names(unfit(entry, around(today), BOOK)) == ["day"]


def test_the_closing_to_the_minute() -> None:
    last = replace(read(), closes_at=at(date(2027, 3, 17), 23, 59))
    assert unfit(last, around(), BOOK) == []
    late = replace(read(), closes_at=at(date(2027, 3, 18), 0))
    assert names(unfit(late, around(), BOOK)) == ["closes_at"]
    over_already = replace(read(), closes_at=around().now)
    assert names(unfit(over_already, around(), BOOK)) == ["closes_at"]


def test_a_site_tests_its_subjects_up_to_what_it_is_approved_for() -> None:
    assert unfit(replace(read(), capacity=60), around(), BOOK) == []
    assert unfit(replace(read(), capacity=20), around(others=40), BOOK) == []
    for entry, near in (
        (replace(read(), capacity=61), around()),
        (replace(read(), capacity=21), around(others=40)),
        (replace(read(), capacity=0), around()),
    ):
        assert names(unfit(entry, near, BOOK)) == ["capacity"]
    assert names(unfit(replace(read(), subject=Subject.ROAD), around(), BOOK)) == ["site"]
    assert names(unfit(read(), around(site=None), BOOK)) == ["site"]
    assert names(unfit(read(), around(site=replace(SITE, office="4105V01")), BOOK)) == ["site"]
    assert names(unfit(replace(read(), ends="08:30"), around(), BOOK)) == ["ends"]


def test_what_a_change_may_touch() -> None:
    plan, entry = published(), read()
    near = around(date(2027, 3, 14))
    # The day stays: no notice period, whatever the date.
    assert unfit_change(plan, replace(entry, starts="09:00", capacity=50), near, BOOK) == []
    moved = replace(entry, day=date(2027, 3, 24), closes_at=at(date(2027, 3, 21), 18))
    assert unfit_change(plan, moved, near, BOOK) == []
    early = replace(entry, day=date(2027, 3, 23), closes_at=at(date(2027, 3, 20), 18))
    assert names(unfit_change(plan, early, near, BOOK)) == ["day"]
    assert names(unfit_change(plan, replace(entry, vehicle_class="C2"), near, BOOK)) == [
        "vehicle_class"
    ]
    late = replace(entry, closes_at=at(date(2027, 3, 18), 0))
    assert names(unfit_change(plan, late, near, BOOK)) == ["closes_at"]
    # After the closing: site and hours, until the day before.
    after = around(date(2027, 3, 19))
    elsewhere = replace(SITE, code="4101K02")
    hours = replace(entry, site="4101K02", starts="09:00")
    assert unfit_change(plan, hours, replace(after, site=elsewhere), BOOK) == []
    assert names(unfit_change(plan, replace(moved, capacity=50), after, BOOK)) == [
        *("day", "capacity", "closes_at")
    ]
    assert changed_plan(plan, hours, elsewhere).sitting()["site"] == "4101K02"


def test_until_when_a_session_is_changed_and_cancelled() -> None:
    plan = published()
    assert over(plan, date(2027, 3, 19)) is None
    assert over(plan, date(2027, 3, 20)) is not None
    assert over(replace(plan, status="cancelled"), TODAY) is not None
    assert not_cancellable(plan, date(2027, 3, 20)) is None
    assert not_cancellable(plan, date(2027, 3, 21)) is not None
    assert not_cancellable(replace(plan, outcomes={"passed": 1}), date(2027, 3, 20)) is not None


def test_codes_are_no_names_of_pages() -> None:
    assert code_fits("4101V01-1a2b3c4d") and code_fits("K_1")
    assert not any(code_fits(c) for c in ("", "new", "student", "a b1", "a/1", "é1", "1" * 41))


NOW, LATER, HOLD = at(TODAY, 12), at(date(2027, 3, 15), 18), timedelta(hours=12)


def places(**values: object) -> Places:
    return replace(Places(2, LATER), **values)  # type: ignore[arg-type]  # any field


def test_everybody_hears_of_a_change_and_nothing_else_owed_is_lost() -> None:
    before = places(holders=("1", "2"), queue=("4",), offers={"3": LATER}, owed={"2": "confirm"})
    owed = told_of_change(before).owed
    assert owed == {"1": "change", "2": "confirm", "3": "change", "4": "change"}


def test_a_change_while_news_are_told_is_told_too() -> None:
    seen = told_of_change(places(holders=("1", "2"), changes=1))
    done: dict[str, Owing] = {"1": "change", "2": "change"}
    assert settled(seen, done, 1).owed == {}
    again = told_of_change(replace(seen, changes=2))
    assert settled(again, done, 1).owed == done
    # Confirmed by the plan as it was before: he hears of the change all the same.
    confirming = places(holders=("1",), owed={"1": "confirm"}, changes=2)
    assert settled(confirming, {"1": "confirm"}, 1).owed == {"1": "change"}
    assert settled(cancelled(seen), {"1": "release", "2": "release"}, 0).owed == {}


def test_who_joins_a_changed_session_hears_of_it() -> None:
    full = places(holders=("1", "2"))
    assert joined(full, "3", NOW, 9)[0].owed == {}
    assert joined(replace(full, changes=1), "3", NOW, 9)[0].owed == {"3": "change"}


def test_size_of_a_changed_session() -> None:
    full = places(holders=("1",), queue=("3", "4", "5"), offers={"2": LATER})
    assert changed(full, 1, LATER, NOW, HOLD) is None
    more = changed(full, 4, LATER, NOW, HOLD)
    assert more is not None and (more.changes, more.queue) == (1, ("5",))
    assert set(more.offers) == {"2", "3", "4"} and more.owed == {"3": "offer", "4": "offer"}
    sooner = changed(full, 2, NOW + timedelta(hours=1), NOW, HOLD)
    assert sooner is not None and sooner.offers == {"2": NOW + timedelta(hours=1)}


def test_cancelling_lets_everybody_go_and_stays() -> None:
    all_gone = cancelled(places(holders=("1",), queue=("3",), offers={"2": LATER}))
    assert all_gone.owed == dict.fromkeys(("1", "2", "3"), "release")
    assert (all_gone.open, all_gone.cancelled, all_gone.holders) == (False, True, ())
    for later in (closed(all_gone), released(all_gone, "1", NOW, HOLD)):
        assert later.cancelled
