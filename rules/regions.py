"""Regions by GB/T 2260: four digits for a city, six for a county; prefixes contain each other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from rules.toml_files import Table, parse

_FILE = "regions.toml"
_LONGEST_NAME = 8


@dataclass(frozen=True)
class Region:
    """A region: code, name without 市, province and letter of its number plates."""

    code: str
    name: str
    plate: str


class Regions:
    """The regions the platform serves."""

    def __init__(self, province: str, regions: Iterable[Region]) -> None:
        self.province = province
        self._regions = tuple(regions)

    def __iter__(self) -> Iterator[Region]:
        return iter(self._regions)

    def of_code(self, code: str) -> Region | None:
        """The region with this code, or the smallest that contains it."""
        holding = [r for r in self._regions if contains(r.code, code)]
        return max(holding, key=lambda r: len(r.code), default=None)

    def named_in(self, text: str) -> Region | None:
        """The region a citizen names: ``郑州``, ``郑州市``, ``豫A`` or a code."""
        wanted = text.strip().upper()
        for region in self._regions:
            if wanted in (region.code, region.plate.upper()):
                return region
        if len(wanted) > _LONGEST_NAME:
            return None
        return next((r for r in self._regions if wanted.startswith(r.name)), None)


def contains(outer: str, inner: str) -> bool:
    """Whether the region of code ``outer`` contains that of ``inner``. 济源 (419001) and the like
    are nobody's county: no city has their first four digits."""
    return inner.startswith(outer)


def load_regions() -> Regions:
    """The regions of ``regions.toml``. Raises RulebookError."""
    return build_regions(_FILE, parse(_FILE, (files("rules") / _FILE).read_text("utf-8")))


def build_regions(file: str, content: Mapping[str, Any]) -> Regions:
    """Regions from a file's content. Raises RulebookError for a bad or doubled code."""
    table = Table(file, "", content)
    province = table.take("province", str)
    regions: list[Region] = []
    for entry in table.tables("regions"):
        region = Region(*(entry.take(key, str) for key in ("code", "name", "plate")))
        digits = region.code.isdigit() and len(region.code) in (4, 6)
        if not digits or not region.code.startswith(province):
            raise entry.fail("code", "must be 4 or 6 digits of the province")
        if any(r.code == region.code for r in regions):
            raise entry.fail("code", "stands twice")
        entry.done()
        regions.append(region)
    table.done()
    return Regions(province, regions)
