"""Free words to what they ask for, over the catalogue as it is."""

import pytest

from bot.intents import Intent, command, understand
from rules.book import load_rulebook
from rules.catalogue import Catalogue

DEFERRAL = "licence-deferral"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_rulebook().catalogue


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("菜单", "menu"),
        ("帮助", "help"),
        ("进度", "progress"),
        ("取消", "cancel"),
        ("返回", "back"),
        ("注册", "register"),
        ("你好", "hello"),
        ("谢谢", "thanks"),
        ("OK", "thanks"),
    ],
)
def test_words_of_the_house(text: str, name: str) -> None:
    assert command(text) == name


def test_every_title_synonym_and_example_finds_its_service(catalogue: Catalogue) -> None:
    for service in catalogue:
        for words in (service.title, *service.synonyms):
            if command(words) is None:
                assert understand(words, catalogue) == Intent("service", service.code), words
        for words in service.examples:
            intent = understand(words, catalogue)
            found = {intent.name, *intent.services}
            assert service.code in found or intent.kind == "command", words


@pytest.mark.parametrize("text", ["我想延期", "延期换证", "帮我办理驾照延期", "我要延期换证"])
def test_a_service_called_by_its_name(catalogue: Catalogue, text: str) -> None:
    assert understand(text, catalogue) == Intent("service", DEFERRAL)


@pytest.mark.parametrize("text", ["延期换证要什么材料", "驾照延期怎么办", "延期换证多久办好"])
def test_a_question_about_a_service_leads_to_its_guide(catalogue: Catalogue, text: str) -> None:
    assert understand(text, catalogue) == Intent("guide", DEFERRAL)


@pytest.mark.parametrize("text", ["驾照到期了", "换证", "驾驶证换"])
def test_what_is_only_near_is_offered_and_never_begun(catalogue: Catalogue, text: str) -> None:
    intent = understand(text, catalogue)
    assert intent.kind == "offer"
    assert DEFERRAL in intent.services and len(intent.services) <= 2


@pytest.mark.parametrize("text", ["今天天气怎么样", "讲个笑话", "1234567", "。。。", "哈哈"])
def test_what_has_nothing_to_do_with_it(catalogue: Catalogue, text: str) -> None:
    assert understand(text, catalogue).kind in ("unknown", "offer")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我的申请办好了吗", "progress"),
        ("审核结果出来没", "progress"),
        ("我要撤回申请", "withdraw"),
        ("怎么注册", "register"),
        ("郑州车管所在哪", "offices"),
    ],
)
def test_wishes_in_a_sentence(catalogue: Catalogue, text: str, name: str) -> None:
    assert understand(text, catalogue) == Intent("command", name)
