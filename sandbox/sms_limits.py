"""How many SMS one number may get: codes 1 a minute, 5 an hour, 10 a day; notices 50 a day for each
template.
"""

from sandbox.inbox import Sms
from sandbox.templates import SmsTemplate

# (seconds, messages, the gateway's wording)
CODE_LIMITS = (
    (60.0, 1, "触发分钟级流控Permits:1"),
    (3600.0, 5, "触发小时级流控Permits:5"),
    (86400.0, 10, "触发天级流控Permits:10"),
)
NOTICE_LIMITS = ((86400.0, 50, "触发天级流控Permits:50"),)


def exceeded(template: SmsTemplate, sent: list[Sms], kinds: dict[str, str], now: float) -> str:
    """The wording of the limit one more message would break, or an empty text.

    `sent`: what this number was sent; `kinds`: kind of each template code.
    """
    if template.kind == "code":
        times = [sms.entry["at"] for sms in sent if kinds.get(sms.entry["template"]) == "code"]
        limits: tuple[tuple[float, int, str], ...] = CODE_LIMITS
    else:
        times = [sms.entry["at"] for sms in sent if sms.entry["template"] == template.code]
        limits = NOTICE_LIMITS
    for seconds, count, wording in limits:
        if sum(at > now - seconds for at in times) >= count:
            return wording
    return ""
