"""Points and results agree or are refused (162令 第三十八条)."""

from datetime import date

import pytest

from rules.exams.plan import Subject
from rules.exams.results import score_fits
from rules.parameters import load_parameters

DAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("subject", "vehicle_class", "least"),
    [
        (Subject.THEORY, "C1", 90),
        (Subject.FIELD, "C1", 80),
        (Subject.FIELD, "N", 80),
        (Subject.FIELD, "A1", 90),
        (Subject.FIELD, "C6", 90),
        (Subject.ROAD, "C1", 90),
        (Subject.SAFETY, "D", 90),
    ],
)
def test_the_points_it_takes(subject: Subject, vehicle_class: str, least: int) -> None:
    parameters = load_parameters()

    def fits(passed: bool, score: int) -> bool:
        return score_fits(subject, vehicle_class, passed, score, parameters, DAY)

    assert fits(True, least) and fits(True, 100) and fits(False, least - 1) and fits(False, 0)
    assert not fits(True, least - 1) and not fits(False, least) and not fits(True, 101)
