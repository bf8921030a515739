"""The worker's loop for SMS codes and nothing else, for houses whose notices tests send themselves.

python -m tests.support.code_sender, in the environment of a house.
"""

import asyncio
import signal

from bianmin.app import open_house
from bianmin.settings_sources import require
from casework.code_sending import send_codes
from storage.engines import EngineUrls


async def main() -> None:
    """Send codes until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = require()
    urls = EngineUrls(settings.mongo_url.get_secret_value(), settings.redis_url.get_secret_value())
    async with open_house(settings, urls, with_lab=False) as ctx:
        while not stop.is_set():
            await send_codes(ctx)


if __name__ == "__main__":
    asyncio.run(main())
