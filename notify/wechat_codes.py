"""WeChat's error codes and what follows each. The one place that knows them."""

from collections.abc import Mapping

from notify.outcome import Action

TOKEN_REFUSED = frozenset({40001, 40014, 42001})
"""The token is wrong or over: refresh once, retry once."""

ACTIONS: Mapping[int, Action] = {
    -1: "retry",  # busy
    40001: "retry",  # token not the latest, even after a refresh
    40014: "retry",
    42001: "retry",
    45011: "retry",  # too often in this minute
    43108: "retry",  # concurrent messages to one user
    40003: "other_channel",  # openid unknown
    43004: "other_channel",  # must follow
    43101: "other_channel",  # consent used up or refused
    45009: "other_channel",  # daily quota
    45015: "other_channel",  # customer-service window closed
    45047: "other_channel",  # customer-service count used up
    50002: "other_channel",  # user limited
    40007: "give_up",  # media id unknown or over
    40029: "give_up",  # login code wrong or over
    40163: "give_up",  # login code used
    40226: "give_up",  # WeChat bars this user's login
    41008: "give_up",  # login code missing
    40013: "alarm",  # appid
    40125: "alarm",  # secret
    40164: "alarm",  # our address is not allowed
    40037: "alarm",  # template
    41030: "alarm",  # page
    43107: "alarm",  # subscribe messages banned
    44004: "alarm",  # empty text
    45002: "alarm",  # text too long
    47001: "alarm",  # JSON not understood
    47003: "alarm",  # template parameter
    48001: "alarm",  # API not granted
    48004: "alarm",  # API banned
}


def action_for(code: int) -> Action:
    """What follows a code; one that is not known needs an operator."""
    return ACTIONS.get(code, "alarm")
