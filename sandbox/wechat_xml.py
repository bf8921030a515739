"""The XML of pushes and passive replies: written and read as strictly as the platform does."""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

REPLY_BYTES = 2048
NUMBERS = {"CreateTime", "MsgId", "TimeStamp", "Location_X", "Location_Y", "Scale"}


class ReplyError(ValueError):
    """A passive reply the platform would not show; the text says why."""


def cdata(text: str) -> str:
    """A CDATA section that survives `]]>` in the text."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def write_message(fields: Mapping[str, str]) -> bytes:
    """A push: numbers bare, everything else as CDATA."""
    inner = "".join(
        f"<{name}>{value if name in NUMBERS else cdata(value)}</{name}>\n"
        for name, value in fields.items()
    )
    return f"<xml>{inner}</xml>".encode()


def read_xml(body: bytes) -> Element:
    """The root `xml` element; raises ReplyError for anything malformed, and for any DTD."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        raise ReplyError("a DTD is not allowed") from error
    except ParseError as error:
        raise ReplyError(f"not well-formed: {error}") from error
    if root.tag != "xml":
        raise ReplyError("root element must be <xml>")
    return root


def text_of(root: Element, path: str) -> str:
    """The text of a required element; raises ReplyError when it is missing or empty."""
    text = root.findtext(path)
    if text is None or not text.strip():
        raise ReplyError(f"<{path}> is missing")
    return text


def read_reply(root: Element, openid: str, account: str) -> dict[str, Any]:
    """What a passive reply shows: {"type", ...}; raises ReplyError."""
    if text_of(root, "ToUserName") != openid:
        raise ReplyError("ToUserName must be the person's openid")
    if text_of(root, "FromUserName") != account:
        raise ReplyError("FromUserName must be the account")
    if not text_of(root, "CreateTime").isdigit():
        raise ReplyError("CreateTime must be a number")
    kind = text_of(root, "MsgType")
    if kind == "text":
        text = text_of(root, "Content")
        if len(text.encode()) > REPLY_BYTES:
            raise ReplyError("Content is longer than 2048 bytes")
        return {"type": kind, "text": text}
    if kind in {"image", "voice", "video"}:
        return {"type": kind, "media_id": text_of(root, f"{kind.capitalize()}/MediaId")}
    if kind == "music":
        return {"type": kind, "text": text_of(root, "Music/ThumbMediaId")}
    if kind == "news":
        return {"type": kind, "articles": _articles(root)}
    if kind == "transfer_customer_service":
        return {"type": kind}
    raise ReplyError(f"unknown MsgType {kind}")


def _articles(root: Element) -> list[dict[str, str]]:
    items = root.findall("Articles/item")
    if not 1 <= len(items) <= 8 or text_of(root, "ArticleCount") != str(len(items)):
        raise ReplyError("ArticleCount and Articles do not agree")
    return [
        {
            "title": text_of(item, "Title"),
            "description": item.findtext("Description") or "",
            "picurl": item.findtext("PicUrl") or "",
            "url": text_of(item, "Url"),
        }
        for item in items
    ]
