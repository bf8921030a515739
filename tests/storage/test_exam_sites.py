"""Exam sites: imported, found by code and by office, imported again."""

from dataclasses import replace

import pytest

from rules.exams.plan import Subject
from rules.exams.site import Site, subjects_in
from storage.engines import EngineUrls
from tests.storage.opening import opened

SITE = Site(
    **{"code": "4101K01", "name": "郑州第一考场", "office": "4101V01", "address": "示范路1号"},
    **{"phone": "0370-5550101", "hours": "工作日 8:00-17:00", "layout": "甲区", "route": "一号线"},
    subjects=(Subject.FIELD, Subject.ROAD),
    daily_capacity=300,
)


@pytest.mark.gen_test(timeout=30)
async def test_a_site_is_found_by_code_and_office(
    engine_urls: EngineUrls, mongo_database: str
) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        sites = stores.exam_sites
        other = replace(SITE, code="4101K00", daily_capacity=10)
        await sites.upsert([SITE, other, replace(SITE, code="4105K01", office="4105V01")])
        assert await sites.get("4101K01") == SITE
        assert await sites.get("nowhere") is None
        assert await sites.of_office("4101V01") == [other, SITE]
        await sites.upsert([replace(SITE, daily_capacity=20)])
        assert await sites.get("4101K01") == replace(SITE, daily_capacity=20)


def test_subjects_are_written_as_their_digits() -> None:
    assert subjects_in("4、1") == (Subject.THEORY, Subject.SAFETY)
    assert subjects_in("２３") == (Subject.FIELD, Subject.ROAD)
    for wrong in ("", " ", "5", "科目二", "1-4"):
        assert subjects_in(wrong) is None
