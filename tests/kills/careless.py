"""A delivery as it must not be: the gateway is called first and the notice written afterwards.

python -m tests.kills.careless NUMBER, killed where BIANMIN_CRASH_AT says, as a worker would be.
"""

import asyncio
import sys
from dataclasses import replace

from bianmin.app import open_house
from bianmin.settings import Settings
from casework import delivery
from casework.carriers import carrier
from rules.notices import NoticeState
from storage.engines import EngineUrls


async def deliver(number: str) -> None:
    """Send what is due for a matter, by SMS."""
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own
    urls = EngineUrls(settings.mongo_url.get_secret_value(), settings.redis_url.get_secret_value())
    async with open_house(settings, urls, with_lab=False) as ctx:
        stored = await carrier(ctx, number)
        assert stored is not None
        for notice in stored.notices.values():
            if notice.state is NoticeState.DUE:
                by_sms = replace(notice, channel="sms")
                reader = await stored.reader(ctx, notice)
                outcome = await delivery._hand_over(ctx, reader, stored, by_sms)
                ctx.checkpoint("after-gateway")
                await delivery._record(ctx, number, by_sms, outcome)


if __name__ == "__main__":
    asyncio.run(deliver(sys.argv[1]))
