"""What a notice says, worded from the matter at the moment it is sent."""

from collections.abc import Mapping
from datetime import datetime

from rules.catalogue import Service
from rules.facts import Office
from rules.matter import Matter
from rules.texts import Texts

_THING = 20
_SMS_PARAM = 35


def notice_text(texts: Texts, service: Service, matter: Matter, template: str) -> str:
    """The message in one sentence, as the citizen's list shows it."""
    notice = texts.notice(template, service.code)
    return f"{service.title}（{matter.number}）{notice.state}。{notice.hint}"


def sms_params(
    texts: Texts, service: Service, matter: Matter, template: str, office: Office | None
) -> Mapping[str, str]:
    """The parameters of the SMS: matter, office and hotline are named, no link is in it."""
    notice = texts.notice(template, service.code)
    return {
        "service": service.title[:_SMS_PARAM],
        "number": matter.number,
        "state": notice.state,
        "hint": notice.hint,
        "office": (office.name if office else texts.say("offices.house"))[:_SMS_PARAM],
        "hotline": office.phone if office else texts.say("offices.hotline"),
    }


def subscribe_data(
    texts: Texts, service: Service, matter: Matter, template: str, at: datetime
) -> Mapping[str, str]:
    """The fields of the subscribe message ``matter-progress``; ``at`` in the house's zone."""
    notice = texts.notice(template, service.code)
    return {
        "character_string1": matter.number,
        "thing2": service.title[:_THING],
        "phrase3": notice.phrase,
        "time4": at.strftime("%Y年%m月%d日 %H:%M"),
        "thing5": notice.thing,
    }
