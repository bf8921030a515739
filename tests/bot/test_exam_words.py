"""What people write about tests: subjects, days, sites; and whole sentences."""

from datetime import date

import pytest

from bot.exams.reading import day_in, site_in, subject_in
from bot.intents import Intent, understand
from rules.book import load_rulebook
from rules.catalogue import Catalogue

THURSDAY = date(2026, 12, 10)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_rulebook().catalogue


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("约科目二", "2"),
        ("科二", "2"),
        ("科目2", "2"),
        ("科目三", "3"),
        ("路考", "3"),
        ("科目四", "4"),
        ("安全文明", "4"),
        ("科一", "1"),
        ("约考", None),
        ("科目二和科目三", None),
        ("12月10日", None),
    ],
)
def test_a_subject_by_its_names(text: str, subject: str | None) -> None:
    assert subject_in(text) == subject


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("12月10日", date(2026, 12, 10)),
        ("12月12号", date(2026, 12, 12)),
        ("12-12", date(2026, 12, 12)),
        ("1月5日", date(2027, 1, 5)),
        ("12月9日", date(2027, 12, 9)),
        ("12号", date(2026, 12, 12)),
        ("十二月二十号", date(2026, 12, 20)),
        ("约科目二十二号的", date(2026, 12, 12)),
        ("一月五日", date(2027, 1, 5)),
        ("三十一号", date(2026, 12, 31)),
        ("科目2月底", None),
        ("周日", date(2026, 12, 13)),
        ("9号", date(2027, 1, 9)),
        ("31号", date(2026, 12, 31)),
        ("2026年12月20日", date(2026, 12, 20)),
        ("2026-12-20", date(2026, 12, 20)),
        ("2026-12-09", None),
        ("今天", date(2026, 12, 10)),
        ("明天的科目二", date(2026, 12, 11)),
        ("后天", date(2026, 12, 12)),
        ("大后天", date(2026, 12, 13)),
        ("周四", date(2026, 12, 10)),
        ("周三", date(2026, 12, 16)),
        ("星期日", date(2026, 12, 13)),
        ("下周三", date(2026, 12, 16)),
        ("下周四", date(2026, 12, 17)),
        ("下周天", date(2026, 12, 20)),
        ("下下周一", date(2026, 12, 21)),
        ("本周五", date(2026, 12, 11)),
        ("这周三", None),
        ("2月30日", None),
        ("13月1日", None),
        ("郑州第一考场", None),
        ("2", None),
    ],
)
def test_a_day_as_people_say_it(text: str, day: date | None) -> None:
    assert day_in(text, THURSDAY) == day


def test_a_leap_day_is_found_in_the_year_that_has_it() -> None:
    assert day_in("2月29日", date(2027, 12, 1)) == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("第一考场", "a"),
        ("我想去郑州第一考场", "a"),
        ("中牟", "c"),
        ("中牟考场有吗", "c"),
        ("郑州", None),
        ("考场", None),
        ("一", None),
        ("洛阳考场", None),
    ],
)
def test_a_site_by_a_part_of_its_name(text: str, code: str | None) -> None:
    sites = [("a", "郑州第一考场"), ("b", "郑州第二考场"), ("c", "中牟考场")]
    assert site_in(text, sites) == code


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("约考", "book_exam"),
        ("我想约考", "book_exam"),
        ("我想约12月10日的科目二", "book_exam"),
        ("帮我约科目三", "book_exam"),
        ("取消预约考试", "cancel_exam"),
        ("我要退掉明天的考试", "cancel_exam"),
        ("我要取消预约考试", "cancel_exam"),
        ("科目二去不了了", "cancel_exam"),
        ("科目二不考了", "cancel_exam"),
        ("退出候补", "cancel_exam"),
        ("我不想考科目三了", "cancel_exam"),
        ("我的预约", "my_exams"),
        ("候补排到第几了", "my_exams"),
        ("我的考试预约成功了吗", "my_exams"),
        ("科目二挂了什么时候能再考", "exam_record"),
        ("科目二挂了啥时候能再考", "exam_record"),
        ("科二没过还能约几次", "exam_record"),
        ("考试成绩", "exam_record"),
        ("郑州的考试计划", "exam_plans"),
        ("哪天有考试", "exam_plans"),
        ("下周三有没有科目二", "exam_seats"),
        ("科目二还有名额吗", "exam_seats"),
        ("科三什么时候有考试", "exam_seats"),
        ("郑州还有科目一的场次吗", "exam_seats"),
        ("接受", "accept"),
        ("放弃", "decline"),
        ("接受变动", "accept_change"),
    ],
)
def test_sentences_about_tests(catalogue: Catalogue, text: str, name: str) -> None:
    assert understand(text, catalogue) == Intent("command", name)


@pytest.mark.parametrize("text", ["约科目二要什么条件", "预约考试流程", "科目二预约需要多长时间"])
def test_a_question_about_booking_leads_to_its_guide(catalogue: Catalogue, text: str) -> None:
    assert understand(text, catalogue) == Intent("guide", "exam-booking")


@pytest.mark.parametrize("text", ["什么时候可以考科目三", "科目三预约", "我想约科目二"])
def test_the_service_by_its_name_or_example(catalogue: Catalogue, text: str) -> None:
    assert understand(text, catalogue) == Intent("service", "exam-booking")
