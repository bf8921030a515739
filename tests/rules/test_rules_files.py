"""The files of rules/ are read strictly: a slip stops the start and names file and key."""

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from rules.book import load_rulebook
from rules.catalogue import build_catalogue
from rules.conditions import judged, unmet
from rules.facts import Facts, Licence
from rules.formats import RowProblem, build_formats
from rules.openings import not_open
from rules.people import Tier
from rules.permissions import (
    FOR_EVERYBODY,
    GIVEN_AT,
    PERMISSIONS,
    WINDOWS,
    may,
    missing,
    tier_refusal,
)
from rules.refusals import Refusal
from rules.regions import build_regions
from rules.texts import build_texts
from rules.toml_files import RulebookError, parse, read_folder

BOOK = load_rulebook()
DEFERRAL = dict(read_folder("rules.catalogue"))["licence-deferral.toml"]
TODAY = date(2026, 11, 23)


def slip(change: Callable[[dict[str, Any]], Any]) -> str:
    """The message a changed licence-deferral.toml stops the start with."""
    content = copy.deepcopy(dict(DEFERRAL))
    change(content)
    with pytest.raises(RulebookError) as caught:
        build_catalogue([("licence-deferral.toml", content)], BOOK.texts, BOOK.parameters)
    assert "licence-deferral.toml" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.update(colour="red"), "colour is not a known key"),
        (lambda c: c.pop("title"), "title is missing"),
        (lambda c: c.update(title=""), "title must not be empty"),
        (lambda c: c.update(title=3), "title must be of type str"),
        (lambda c: c.update(code="other"), "code must be the file's name"),
        (lambda c: c.update(sector="sports"), "sector must be one of"),
        (lambda c: c.update(kind="magic"), "kind must be one of"),
        (lambda c: c.update(openings=[]), "openings is missing"),
        (lambda c: c["openings"][0].update(stage="closed"), "openings[0].successor"),
        (lambda c: c["who"].update(business="fishing"), "who.business"),
        (lambda c: c["who"].pop("text"), "who.text is missing"),
        (lambda c: c["conditions"][0].update(name="tall"), "unknown condition tall"),
        (lambda c: c["conditions"][2].update(years="x.y"), "unknown parameter x.y"),
        (lambda c: c["conditions"][3].update(field="x"), "unknown field x"),
        (lambda c: c["conditions"][1].update(extra=1), "conditions[1].extra"),
        (lambda c: c["fields"][0].update(options=[]), "fields[0].options"),
        (lambda c: c["fields"][1].update(name="reason"), "reason twice"),
        (lambda c: c["fields"][1]["checks"].update(before=1), "fields[1].checks.before"),
        (lambda c: c["materials"][0].update(max_photos=0), "materials[0].max_photos"),
        (lambda c: c["materials"].append(dict(c["materials"][0])), "id_card twice"),
        (lambda c: c["limits"].update(review="x.y"), "unknown parameter x.y"),
        (lambda c: c["reminder"].update(field="reason"), "reminder.field"),
        (lambda c: c["notices"].append("exploded"), "exploded"),
        (lambda c: c["effects"].update(exploded=["x"]), "effects.exploded"),
        (lambda c: c["office"].update(decides="anyone"), "office.decides"),
    ],
)
def test_a_slip_in_a_service_is_named(change: Callable[[dict[str, Any]], Any], named: str) -> None:
    assert named in slip(change)


def test_a_synonym_belongs_to_one_service() -> None:
    files = dict(read_folder("rules.catalogue"))
    other = copy.deepcopy(dict(files["register-face-sign.toml"]))
    other["synonyms"].append("延期换证")
    files["register-face-sign.toml"] = other
    with pytest.raises(RulebookError, match="延期换证 belongs to licence-deferral"):
        build_catalogue(files.items(), BOOK.texts, BOOK.parameters)


def test_the_catalogue_answers() -> None:
    assert BOOK.catalogue.find("licence-deferral").title == "驾驶证延期换证"
    with pytest.raises(Refusal, match="service-unknown"):
        BOOK.catalogue.find("../secrets")
    assert {s.code for s in BOOK.catalogue.open(TODAY, "4101")} == {s.code for s in BOOK.catalogue}


def test_a_service_opens_by_date_and_smallest_region() -> None:
    content = copy.deepcopy(dict(DEFERRAL))
    content["openings"] = [
        {"region": "41", "stage": "planned", "from": date(2015, 11, 1)},
        {"region": "411481", "stage": "trial", "from": date(2015, 11, 1)},
        {"region": "4106", "stage": "open", "from": date(2015, 12, 1)},
        {"region": "41", "stage": "open", "from": date(2016, 1, 1)},
        {"region": "41", "stage": "closed", "from": date(2030, 1, 1), "successor": "某局"},
    ]
    service = build_catalogue(
        [("licence-deferral.toml", content)], BOOK.texts, BOOK.parameters
    ).find("licence-deferral")
    assert service.status(date(2015, 10, 31)) == "planned"
    assert service.status(date(2015, 12, 31), "410600") == "open"
    assert service.status(date(2015, 12, 31), "4101") == "planned"
    assert service.status(TODAY, "411481") == "trial"
    assert service.is_open(TODAY, "4114") and service.is_open(TODAY)
    assert not service.is_open(TODAY, "440106")
    assert service.status(date(2030, 1, 1), "4101") == "closed"
    assert service.opens(date(2015, 12, 31), "4101") == date(2016, 1, 1)
    assert service.opens(date(2015, 11, 30), "410600") == date(2015, 12, 1)
    assert service.opens(date(2030, 1, 1), "4101") is None is service.opens(TODAY, "411481")


@pytest.mark.parametrize(
    ("on", "region", "detail", "step"),
    [
        (date(2015, 12, 1), "4101", "暂未开通，2016年1月1日开通。", "在此之前请到窗口办理"),
        (date(2030, 1, 1), "4101", "已停办，改由某局办理。", "请向该单位办理"),
        (TODAY, "4107", "暂未开通。", "开通时间以公告为准，目前请到窗口办理"),
    ],
)
def test_a_service_that_is_not_open_says_from_when_or_who_has_it(
    on: date, region: str, detail: str, step: str
) -> None:
    content = copy.deepcopy(dict(DEFERRAL))
    content["openings"] = [
        {"region": "41", "stage": "open", "from": date(2016, 1, 1)},
        {"region": "4107", "stage": "planned", "from": date(2016, 1, 1)},
        {"region": "41", "stage": "closed", "from": date(2030, 1, 1), "successor": "某局"},
    ]
    service = build_catalogue(
        [("licence-deferral.toml", content)], BOOK.texts, BOOK.parameters
    ).find("licence-deferral")
    refusal = not_open(service, on, region, BOOK.texts)
    assert refusal is not None
    worded = BOOK.texts.refusal(refusal)
    assert worded.detail.endswith(detail) and worded.next.startswith(step)
    assert not_open(service, TODAY, "4101", BOOK.texts) is None


def test_conditions_are_told_and_judged_as_of_a_day() -> None:
    licence = Licence(
        "L", "", "C1", "正常", date(2015, 1, 1), date(2019, 11, 23), date(2025, 11, 23), "4101-VO"
    )
    facts = Facts(today=date(2026, 11, 24), licence=licence, licence_bound=True)
    service = BOOK.catalogue["licence-deferral"]
    assert [r.code for r in unmet(service, facts, {}, BOOK.parameters)] == ["licence-not-in-window"]
    told = judged(service, facts, {"until": "2028-11-23"}, BOOK.parameters, TODAY)
    assert [met for _, met in told] == [True, True, True, True]
    assert told[2][0] == "在驾驶证有效期内，或有效期届满1年内"
    nobody = Facts(today=TODAY)
    assert [r.code for r in unmet(service, nobody, {}, BOOK.parameters)] == ["licence-not-bound"]


def test_tiers_and_business() -> None:
    assert may([Tier.STUDENT], "driving_test")
    for business in ("query", "licence", "vehicle", "household"):
        assert not may([Tier.STUDENT], business)
    assert may([Tier.DIRECT], "query") and not may([Tier.DIRECT], "licence")
    assert may([Tier.STUDENT, Tier.FACE_SIGNED], "vehicle")
    assert {b for b in PERMISSIONS if may([], b)} == FOR_EVERYBODY == {"registration"}


def test_a_refusal_for_the_tier_says_which_would_do_and_how_to_get_it() -> None:
    texts = load_rulebook().texts
    assert set(WINDOWS) == set(PERMISSIONS) and set(GIVEN_AT) == set(Tier)
    for business in sorted(PERMISSIONS):
        for tiers in ((), *((t,) for t in Tier)):
            refused = tier_refusal(tiers, business, "某业务", texts)
            assert (refused is None) == may(tiers, business)
            if refused is None:
                assert missing(tiers, business) == ()
                continue
            wanted = missing(tiers, business)
            assert all(may([*tiers, tier], business) for tier in wanted)
            worded = texts.refusal(refused)
            assert texts.say(f"tiers.{wanted[0]}") in worded.detail
            assert texts.say(f"tier_needed.{wanted[0]}") in worded.next
    with pytest.raises(KeyError):
        may([Tier.DIRECT], "fishing")


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("a.toml", "[a]\nb = 1", "a.b must be a text"),
        ("a.toml", '[a]\nb = "{x"', "a.b"),
        ("a.toml", '[a]\nb = "{x.y}"', "a.b"),
        ("a.toml", '[a]\nb = "{x:>9}"', "a.b"),
        ("a.toml", '[a]\nb = "{}"', "a.b"),
        ("a.toml", "[a", "a.toml"),
        ("notices.toml", f'[notices.a]\nthing = "{"字" * 21}"', "notices.a.thing is longer"),
        ("notices.toml", '[notices.a]\nphrase = "超过了五字"\nhint = "https://x"', "link"),
        ("notices.toml", '[services.s.a]\nword = "x"', "services.s.a.word is not a known key"),
        ("refusals.toml", '[a]\nstatus = 200\ndetail = "x"\nnext = "x"', "a.status"),
        ("refusals.toml", '[a]\nstatus = 400\ndetail = "x"', "a.next is missing"),
        (
            "refusals.toml",
            f'[a]\nstatus = 400\ndetail = "{"字" * 61}"\nnext = "x"',
            "a.detail is longer",
        ),
        ("refusals.toml", '[a]\nstatus = 400\ndetail = "x"\nnext = "x"\nsee = "x"', "a.see"),
        (
            "refusals.toml",
            '[a]\nstatus = 400\ndetail = "x"\nnext = "x"\nabsent = { y = "x" }',
            "absent.y",
        ),
    ],
)
def test_a_slip_in_a_text_is_named(file: str, text: str, named: str) -> None:
    with pytest.raises(RulebookError) as caught:
        build_texts(iter([(file, parse(file, text))]))
    assert file in str(caught.value) and named in str(caught.value)


def test_a_text_stands_once() -> None:
    with pytest.raises(RulebookError, match="stands twice"):
        build_texts(iter([("x.toml", {"a": {"b": "1"}}), ("y.toml", {"a": {"b": "2"}})]))


def test_formats_name_what_is_wrong_and_never_repeat_it() -> None:
    layout = BOOK.formats["licences"]
    good = {
        "id_number": "11010519491231002x",
        "name": "王小明",
        "phone": "",
        "number": "11010519491231002X",
        "vehicle_class": "C1",
        "status": "正常",
        "issued_on": "2010-05-01",
        "valid_from": "2016/5/1",
        "valid_until": "20260501",
        "issuing_office": "4101-VO",
        "points": "3",
    }
    layout.check_header(list(good))
    row = layout.read(good)
    assert row["id_number"] == "11010519491231002X" and row["phone"] is None
    assert row["valid_until"] == date(2026, 5, 1) and row["points"] == 3
    for column, bad in (
        ("id_number", "110105194912310021"),
        ("name", "Wang"),
        ("phone", "12345"),
        ("status", "很好"),
        ("valid_until", "2026-02-30"),
        ("points", "-1"),
        ("issuing_office", "4101 VO;"),
        ("number", ""),
    ):
        with pytest.raises(RowProblem) as caught:
            layout.read({**good, column: bad})
        assert caught.value.column == column
        assert not bad or bad not in str(caught.value)
    with pytest.raises(RowProblem, match="少于表头"):
        layout.read({**good, "points": None})
    with pytest.raises(RowProblem, match="多于表头"):
        layout.read({**good, None: ["x"]})  # type: ignore[dict-item]  # as csv.DictReader gives it
    for header in ([*good, "x"], [*good, "name"], [n for n in good if n != "name"]):
        with pytest.raises(RowProblem):
            layout.check_header(header)


def test_a_slip_in_a_format_is_named() -> None:
    for text, named in (
        ('kind = "b"', "kind"),
        ('kind = "a"\ntitle = "x"\ndirection = "up"', "direction"),
        ('kind = "a"\ntitle = "x"\ndirection = "import"', "columns"),
        (
            'kind = "a"\ntitle = "x"\ndirection = "import"\n[[columns]]\nname = "n"\nlabel = "l"\n'
            'type = "shape"\nrequired = true\nhelp = "h"',
            "columns[0].type",
        ),
    ):
        with pytest.raises(RulebookError) as caught:
            build_formats([("a.toml", parse("a.toml", text))])
        assert named in str(caught.value)


def test_regions() -> None:
    regions = BOOK.regions
    assert len(list(regions)) == 19
    assert [r.code for t in ("郑州", "郑州市", "豫a", "4101") if (r := regions.named_in(t))] == [
        "4101"
    ] * 4
    assert regions.named_in("北京") is None and regions.named_in("") is None
    county = regions.of_code("411481")
    assert county is not None and county.name == "永城"
    city = regions.of_code("411402")
    assert city is not None and city.name == "商丘"
    assert regions.of_code("110101") is None
    for bad in ("11", "1101", "41O1"):
        content = {"province": "41", "regions": [{"code": bad, "name": "x", "plate": "y"}]}
        with pytest.raises(RulebookError, match="code"):
            build_regions("regions.toml", content)
