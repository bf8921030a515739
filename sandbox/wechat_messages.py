"""Messages the service sends through WeChat: customer-service, template and subscribe messages,
with their limits.
"""

import re
from typing import Any

from sandbox.people import Person
from sandbox.templates import MessageTemplate
from sandbox.wechat_errors import WeChatError
from sandbox.world import World

TEXT_BYTES = 2048
PAGE = re.compile(r"pages(/[A-Za-z0-9_-]+)+(\?[^\s]{0,900})?")


def send_customer_service(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """custom/send: inside the window only; raises WeChatError 40003, 43004, 45015, 45047 and format
    errors.
    """
    person = _person(world.people.by_openid, body)
    kind = body.get("msgtype")
    content = body.get(kind) if isinstance(kind, str) else None
    if kind not in {"text", "image", "news"}:
        raise WeChatError(40008)
    if not isinstance(content, dict):
        raise WeChatError(47001)
    shown: dict[str, Any] = {}
    if kind == "text":
        text = content.get("content")
        if not isinstance(text, str) or not text:
            raise WeChatError(44004)
        if len(text.encode()) > TEXT_BYTES:
            raise WeChatError(45002)
        shown = {"text": text}
    elif kind == "image":
        if world.media.get(str(content.get("media_id")), world.now()) is None:
            raise WeChatError(40007)
        shown = {"media_id": content["media_id"]}
    else:
        articles = content.get("articles")
        if not isinstance(articles, list) or len(articles) != 1:
            raise WeChatError(45008)
        shown = {"articles": articles}
    code = person.customer_service_error(world.now())
    if code:
        raise WeChatError(code)
    _deliver(world, person, "customer-service", kind, shown)
    return {"errcode": 0, "errmsg": "ok"}


def send_template(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """template/send of the official account: followers only; raises 40003, 40037, 43004, 47003."""
    person = _person(world.people.by_openid, body)
    template = _template(world.templates.official, body)
    if not person.follows:
        raise WeChatError(43004)
    shown = _fields(template, body)
    entry = _deliver(world, person, "template", "template", shown)
    number = 10**15 + int(entry["n"])
    world.push_event(
        person, {"Event": "TEMPLATESENDJOBFINISH", "MsgID": str(number), "Status": "success"}
    )
    return {"errcode": 0, "errmsg": "ok", "msgid": number}


def send_subscribe(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """subscribe/send of the mini-program: one consent, one message; raises 40003, 40037, 41030,
    43101, 47003.
    """
    person = _person(world.people.by_mini_openid, body)
    template = _template(world.templates.subscribe, body)
    page = body.get("page")
    if page is not None and (not isinstance(page, str) or PAGE.fullmatch(page) is None):
        raise WeChatError(41030)
    if body.get("miniprogram_state", "formal") not in {"developer", "trial", "formal"}:
        raise WeChatError(40035)
    shown = _fields(template, body)
    consent = person.consents.get(template.id)
    if consent is None or (consent.count <= 0 and not consent.long_term):
        raise WeChatError(43101)
    _deliver(world, person, "subscribe", "template", {**shown, "page": page})
    return {"errcode": 0, "errmsg": "ok"}


def _person(people: dict[str, Person], body: dict[str, Any]) -> Person:
    person = people.get(str(body.get("touser")))
    if person is None:
        raise WeChatError(40003)
    return person


def _template(templates: Any, body: dict[str, Any]) -> MessageTemplate:
    template = templates.get(str(body.get("template_id")))
    if template is None:
        raise WeChatError(40037)
    found: MessageTemplate = template
    return found


def _fields(template: MessageTemplate, body: dict[str, Any]) -> dict[str, Any]:
    data = body.get("data")
    if not isinstance(data, dict):
        raise WeChatError(47003)
    wrong = template.wrong_field(data)
    if wrong is not None:
        raise WeChatError(47003, f"data.{wrong}.value invalid")
    lines = [[label, data[name]["value"]] for name, label in template.fields.items()]
    return {"template_id": template.id, "title": template.title, "lines": lines}


def _deliver(
    world: World, person: Person, via: str, kind: str, shown: dict[str, Any]
) -> dict[str, Any]:
    sender = "mini" if via == "subscribe" else "account"
    world.faults.counts["wechat"][f"delivered:{via}"] += 1
    fields = {"person": person.id, "from": sender, "via": via, "type": kind, **shown}
    return world.record("chat", **fields)
