"""WeChat's rules for the official account's menu."""

from typing import Any

from sandbox.wechat_errors import WeChatError

# Buttons, name bytes: at most 3 of 16 bytes; below each at most 5 of 60 bytes. Key 128 bytes,
# address 1024.
TYPES_WITH_KEY = {
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
}


def check_menu(menu: dict[str, Any]) -> None:
    """Raises WeChatError for a menu the platform would refuse."""
    buttons = menu.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise WeChatError(40016)
    for button in buttons:
        _check_name(button, 16, 40018)
        below = button.get("sub_button")
        if below:
            if len(below) > 5:
                raise WeChatError(40023)
            for inner in below:
                _check_name(inner, 60, 40025)
                _check_action(inner, (40024, 40026, 40027))
        else:
            _check_action(button, (40017, 40019, 40020))


def _check_name(button: dict[str, Any], limit: int, code: int) -> None:
    name = button.get("name")
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= limit:
        raise WeChatError(code)


def _check_action(button: dict[str, Any], codes: tuple[int, int, int]) -> None:
    kind_code, key_code, url_code = codes
    kind = button.get("type")
    if kind in TYPES_WITH_KEY:
        if not 1 <= len(str(button.get("key") or "").encode()) <= 128:
            raise WeChatError(key_code)
    elif kind in {"view", "miniprogram"}:
        if not 1 <= len(str(button.get("url") or "").encode()) <= 1024:
            raise WeChatError(url_code)
        if kind == "miniprogram" and not (button.get("appid") and button.get("pagepath")):
            raise WeChatError(40035)
    else:
        raise WeChatError(kind_code)
