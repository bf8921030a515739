"""Who asks for an SMS code, so that his code, his tries and his limits are his alone.

An asker is, from strongest to weakest: a citizen logged in, a WeChat account, a device that kept
the ``challenge`` of an earlier request, or a network address. See
docs/decisions/0008-codes-belong-to-their-asker.md.
"""

import base64
import binascii
import ipaddress
from dataclasses import dataclass

from casework.context import Context
from casework.wechat_identity import WechatIdentity, appid_of
from storage.session_documents import Session
from storage.vault import VaultError

_CHALLENGE = "challenge"
_IPV6_SITE = 64


@dataclass(frozen=True)
class Asker:
    """``mark``: what his codes and tries are kept under; ``place``: what floods are counted by;
    ``device``: the mark a device is recognised by next time; ``citizen``: who is logged in. All are
    blind indexes."""

    mark: str
    place: str
    device: str = ""
    challenge: str = ""
    citizen: str = ""


def asker_at(
    ctx: Context,
    address: str,
    *,
    challenge: str | None = None,
    wechat: WechatIdentity | None = None,
) -> Asker:
    """Who asks for a code over HTTP, with a challenge to prove it by: from another network too.

    A challenge of an earlier request makes him the device that kept it; one that does not open
    is as none.
    """
    place = _address_mark(ctx, address)
    held = _opened(ctx, challenge)
    ticket = held[1] if held else ctx.ids.token()[:22]
    device = _mark(ctx, "device", ticket)
    mark = device if held else place
    if wechat is not None:
        mark = _openid_mark(ctx, wechat.app, wechat.openid)
    sealed = ctx.stores.vault.seal({"mark": mark, "ticket": ticket}, _CHALLENGE)
    return Asker(mark, place, device, base64.urlsafe_b64encode(sealed).decode())


def prover_at(ctx: Context, address: str, challenge: str | None = None) -> Asker:
    """Who tries a code over HTTP: the one its challenge was given to, else whoever is at this
    address."""
    place = _address_mark(ctx, address)
    held = _opened(ctx, challenge)
    if held is None:
        return Asker(place, place)
    return Asker(held[0], place, _mark(ctx, "device", held[1]))


def asker_in_chat(ctx: Context, identity: WechatIdentity) -> Asker:
    """Who asks in the chat: his WeChat account, which WeChat vouches for."""
    mark = _openid_mark(ctx, identity.app, identity.openid)
    return Asker(mark, mark)


def asker_logged_in(ctx: Context, key: str) -> Asker:
    """Who asks while he is logged in: the citizen himself, from whatever address."""
    mark = _mark(ctx, "citizen", key)
    return Asker(mark, mark, citizen=key)


def is_known(ctx: Context, session: Session | None, asker: Asker) -> bool:
    """Whether the asker is this person, logged in, or a WeChat account bound to him, or a device
    that logged in as him before. An address never is: neighbours behind it would learn who has an
    account."""
    if session is None:
        return False
    bound = {_openid_mark(ctx, app, one.openid) for app, one in session.wechat.items()}
    logged_in = asker.citizen == session.key
    return logged_in or asker.mark in bound or asker.device in session.askers


def _mark(ctx: Context, kind: str, value: str) -> str:
    return ctx.stores.vault.index("asker", f"{kind}/{value}")


def _openid_mark(ctx: Context, app: str, openid: str) -> str:
    return _mark(ctx, "openid", f"{appid_of(ctx, app)}/{openid}")


def _address_mark(ctx: Context, address: str) -> str:
    """A household has a whole /64 of IPv6, so its addresses count as one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return _mark(ctx, "address", address)
    if ip.version == 6:
        return _mark(ctx, "address", str(ipaddress.ip_network((ip, _IPV6_SITE), strict=False)))
    return _mark(ctx, "address", str(ip))


def _opened(ctx: Context, challenge: str | None) -> tuple[str, str] | None:
    """Mark and ticket of a challenge of ours."""
    if not challenge:
        return None
    try:
        sealed = base64.urlsafe_b64decode(challenge.encode())
        held = ctx.stores.vault.open_json(sealed, _CHALLENGE)
    except (VaultError, binascii.Error, UnicodeEncodeError):
        return None
    return str(held["mark"]), str(held["ticket"])
