"""What a notice says, worded from the matter at the moment it is sent."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rules.calendar import HOUSE_ZONE
from rules.catalogue import Catalogue, Service
from rules.deadlines import say_date
from rules.facts import Office
from rules.matter import Matter
from rules.texts import NOTICE_WORDS, NoticeText, Texts

_THING = 20
_SMS_PARAM = 35


def words_of(texts: Texts, matter: Matter) -> Mapping[str, str]:
    """What a notice of a test may say of it: ``what``, ``when``, ``site``, ``until`` (the end of an
    offer); nothing of other matters."""
    form = matter.form
    if "plan" not in form:
        return {}
    day = date.fromisoformat(form["day"])
    offered = matter.last("offered")
    until = _hour(datetime.fromisoformat(offered.data["until"])) if offered else ""
    return {
        "what": texts.say(f"exams.short.{form['subject']}"),
        "when": f"{day.month}月{day.day}日{form['starts']}",
        "site": form["site_name"][: NOTICE_WORDS["site"]],
        "until": until,
    }


def _hour(at: datetime) -> str:
    local = at.astimezone(HOUSE_ZONE)
    return f"{local.month}月{local.day}日{local:%H:%M}"


def _notice(texts: Texts, service: Service, matter: Matter, template: str) -> NoticeText:
    notice, words = texts.notice(template, service.code), words_of(texts, matter)
    return NoticeText(**{name: text.format(**words) for name, text in vars(notice).items()})


def notice_text(texts: Texts, service: Service, matter: Matter, template: str) -> str:
    """The message in one sentence, as the citizen's list shows it."""
    notice = _notice(texts, service, matter, template)
    return f"{service.title}（{matter.number}）{notice.state}。{notice.hint}"


def sms_params(
    texts: Texts, service: Service, matter: Matter, template: str, office: Office | None
) -> Mapping[str, str]:
    """The parameters of the SMS: matter, office and hotline are named, no link is in it."""
    notice = _notice(texts, service, matter, template)
    return {
        "service": service.title[:_SMS_PARAM],
        "number": matter.number,
        "state": notice.state,
        "hint": notice.hint,
        "office": (office.name if office else texts.say("offices.house"))[:_SMS_PARAM],
        "hotline": office.phone if office else texts.say("offices.hotline"),
    }


def mandate_sms_params(
    texts: Texts, catalogue: Catalogue, terms: Mapping[str, Any], event: str, audience: str
) -> Mapping[str, str]:
    """The parameters of the SMS about a mandate to its principal or agent; ``terms`` are those of
    the grant's event. It names nobody: SMS are read on locked screens."""
    said = f"mandates.notices.{audience}.{event}"
    return {
        "side": texts.say(f"mandates.sides.{audience}"),
        "scope": scope_text(texts, catalogue, terms["businesses"], terms["services"])[:_SMS_PARAM],
        "until": say_date(date.fromisoformat(terms["until"])),
        "state": texts.say(f"{said}.state"),
        "hint": texts.say(f"{said}.hint"),
        "hotline": texts.say("offices.hotline"),
    }


def scope_text(
    texts: Texts, catalogue: Catalogue, businesses: Sequence[str], services: Sequence[str]
) -> str:
    """What a mandate is for, in words short enough for an SMS."""
    named = scope_labels(texts, catalogue, businesses, services)
    whole = "、".join(named)
    if len(whole) <= _SMS_PARAM:
        return whole
    return texts.say("mandates.scope_more", first=named[0][:_THING], count=len(named))


def scope_labels(
    texts: Texts, catalogue: Catalogue, businesses: Sequence[str], services: Sequence[str]
) -> list[str]:
    """Each business and service a mandate is for, by its name."""
    # A service may have left the catalogue since the mandate was given.
    titles = {service.code: service.title for service in catalogue}
    labels = [texts.say(f"mandates.businesses.{b}") for b in businesses]
    return labels + [titles.get(s, s) for s in services]


def subscribe_data(
    texts: Texts, service: Service, matter: Matter, template: str, at: datetime
) -> Mapping[str, str]:
    """The fields of the subscribe message ``matter-progress``; ``at`` in the house's zone."""
    notice = _notice(texts, service, matter, template)
    return {
        "character_string1": matter.number,
        "thing2": service.title[:_THING],
        "phrase3": notice.phrase,
        "time4": at.strftime("%Y年%m月%d日 %H:%M"),
        "thing5": notice.thing,
    }
