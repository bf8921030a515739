"""The collection ``registry_sites``: the exam sites of the vehicle offices, as imported."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from rules.exams.plan import Subject
from rules.exams.site import Site
from storage.registry import upsert

_TEXTS = ("name", "office", "address", "phone", "hours", "layout", "route", "process")


class ExamSites:
    """Reads and writes exam sites. Raises pymongo's errors when the engine does not answer."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]]) -> None:
        self._sites = collection

    async def upsert(self, sites: Sequence[Site]) -> None:
        """Take in sites; of two with one code the later one holds."""
        await upsert(self._sites, [(s.code, _stored(s)) for s in sites])

    async def get(self, code: str) -> Site | None:
        """A site by its code."""
        document = await self._sites.find_one({"_id": code})
        return _site(document) if document else None

    async def of_office(self, office: str) -> list[Site]:
        """The sites of an office, by code."""
        return sorted(
            [_site(d) async for d in self._sites.find({"office": office})], key=lambda s: s.code
        )


def _stored(site: Site) -> dict[str, Any]:
    return {
        **{name: getattr(site, name) for name in _TEXTS},
        "subjects": [s.value for s in site.subjects],
        "daily_capacity": site.daily_capacity,
    }


def _site(document: Mapping[str, Any]) -> Site:
    return Site(
        code=document["_id"],
        **{name: document[name] for name in _TEXTS},
        subjects=tuple(Subject(s) for s in document["subjects"]),
        daily_capacity=document["daily_capacity"],
    )
