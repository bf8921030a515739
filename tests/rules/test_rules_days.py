"""Working days, years and dated figures."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.deadlines import (
    LAST_YEAR,
    BeforeCalendar,
    add_working_days,
    add_years,
    deadline,
    end_of_working_days,
    is_provisional,
    is_working_day,
)
from rules.parameters import UnknownFigure, build_parameters, load_parameters
from rules.toml_files import RulebookError, parse


def test_holidays_and_the_weekends_worked_for_them() -> None:
    assert not is_working_day(date(2026, 10, 1))
    assert not is_working_day(date(2026, 11, 22))
    assert is_working_day(date(2026, 11, 23))
    # The Sunday worked for the Spring Festival of 2016.
    assert is_working_day(date(2016, 2, 6))


def test_a_day_before_the_long_holiday_runs_over_it() -> None:
    assert add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert add_working_days(date(2016, 2, 6), 1) == date(2016, 2, 14)


def test_years_without_a_calendar_are_counted_and_marked() -> None:
    far = date(LAST_YEAR + 1, 1, 1)
    assert is_provisional(far) and not is_working_day(far)
    assert deadline(date(LAST_YEAR, 12, 31), 1).provisional
    assert not deadline(date(2026, 11, 23), 1).provisional
    with pytest.raises(BeforeCalendar):
        is_working_day(date(1999, 1, 1))


@given(st.dates(date(2015, 1, 1), date(2030, 1, 1)), st.integers(0, 20))
def test_so_many_working_days_lie_between(start: date, days: int) -> None:
    end = deadline(start, days).day
    passed = [d for d in range(start.toordinal() + 1, end.toordinal() + 1)]
    assert sum(is_working_day(date.fromordinal(d)) for d in passed) == days
    assert days == 0 or is_working_day(end)


def test_a_deadline_ends_with_the_day_in_china() -> None:
    # 23:30 UTC is already the next morning in Shanghai.
    now = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert end_of_working_days(now, 1) == datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)


def test_years_from_a_leap_day() -> None:
    assert add_years(date(2024, 2, 29), 1) == date(2025, 2, 28)
    assert add_years(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert add_years(date(9999, 12, 31), 3) == date(9999, 12, 31)


def test_every_figure_has_a_source_and_a_value_today_and_then() -> None:
    parameters = load_parameters()
    for name in parameters:
        for day in (date(2016, 2, 1), date(2026, 11, 23)):
            figure = parameters.at(name, day)
            assert figure.source and figure.unit


def test_the_two_eras_of_deferral() -> None:
    parameters = load_parameters()
    then = parameters.at("licence.deferral.max_years", date(2022, 3, 31))
    now = parameters.at("licence.deferral.max_years", date(2022, 4, 1))
    assert then.own_setting and not now.own_setting
    assert "第七十五条" in now.source


def test_no_figure_before_its_first_day() -> None:
    parameters = load_parameters()
    with pytest.raises(UnknownFigure):
        parameters.at("licence.deferral.max_years", date(2015, 12, 31))
    with pytest.raises(UnknownFigure):
        parameters.at("no.such.figure", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[a]\nunit = "weeks"\nvalues = []', "a.unit"),
        ('[a]\nunit = "days"', "a.values"),
        ('[a]\nunit = "days"\n[[a.values]]\nfrom = 2020-01-01\nvalue = 1', "source"),
        (
            '[a]\nunit = "days"\n[[a.values]]\nfrom = 2020-01-01\nvalue = 1\n'
            'own_setting = true\nsource = "x"',
            "reason",
        ),
        (
            '[a]\nunit = "days"\n[[a.values]]\nfrom = 2020-01-01\nvalue = "1"\nsource = "x"',
            "value",
        ),
        (
            '[a]\nunit = "days"\nlaw = 1\n[[a.values]]\nfrom = 2020-01-01\nvalue = 1\nsource = "x"',
            "a.law",
        ),
        (
            '[a]\nunit = "days"\n[[a.values]]\nfrom = 2020-01-01\nvalue = 1\nsource = "x"\n'
            '[[a.values]]\nfrom = 2020-01-01\nvalue = 2\nsource = "x"',
            "from",
        ),
    ],
)
def test_a_bad_parameter_file_is_named_with_its_key(text: str, named: str) -> None:
    with pytest.raises(RulebookError) as caught:
        build_parameters([("x.toml", parse("x.toml", text))])
    assert "x.toml" in str(caught.value) and named in str(caught.value)
