"""Sends the receipt of each SMS to the service, and again after 1, 5 and 10 minutes until it is
accepted.
"""

import asyncio

import orjson
from tornado.httpclient import AsyncHTTPClient

from sandbox.inbox import Sms
from sandbox.outward import answer_of
from sandbox.sms import china_time, sms_size
from sandbox.world import World

ANSWER_SECONDS = 5.0


class Receipts:
    """One task for each receipt on its way."""

    def __init__(self, world: World) -> None:
        settings = world.settings
        self._world = world
        self._address = f"{settings.service}/callbacks/sms/{settings.sms_callback_secret}"
        self._client = AsyncHTTPClient(force_instance=True, max_clients=100)
        self._tasks: set[asyncio.Task[None]] = set()
        self.repeat_seconds = settings.receipt_repeat_seconds

    def resume(self) -> None:
        """After a restart: send what was not settled."""
        for sms in self._world.inbox.by_biz_id.values():
            if not sms.receipt_settled:
                self.expect(sms)

    def expect(self, sms: Sms) -> None:
        """Send this message's receipt when the network has had its time."""
        if not sms.entry["receipt"]:
            return
        task = asyncio.get_running_loop().create_task(self._deliver(sms))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        self._client.close()

    async def _deliver(self, sms: Sms) -> None:
        counts = self._world.faults.counts["sms"]
        tries = 0
        for pause in (self._world.settings.receipt_seconds, *self.repeat_seconds):
            await asyncio.sleep(pause)
            tries += 1
            counts["receipts sent"] += 1
            if await self._accepted(sms):
                counts["receipts accepted"] += 1
                break
        self._world.record(
            "receipt", biz_id=sms.entry["biz_id"], tries=tries, phone=sms.entry["phone"]
        )

    async def _accepted(self, sms: Sms) -> bool:
        row = sms.entry
        report = {
            "phone_number": row["phone"],
            "send_time": china_time(row["at"]),
            "report_time": china_time(row["at"] + self._world.settings.receipt_seconds),
            "success": row["success"],
            "err_code": row["err_code"],
            "err_msg": "用户接收成功" if row["success"] else "短信未送达",
            "sms_size": str(sms_size(row["text"])),
            "biz_id": row["biz_id"],
            "out_id": row["out_id"],
        }
        response = await answer_of(
            self._client,
            self._address,
            method="POST",
            headers={"Content-Type": "application/json; charset=utf-8"},
            body=orjson.dumps([report]),
            request_timeout=ANSWER_SECONDS,
        )
        if response is None or response.code != 200:
            return False
        try:
            answer = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            return False
        return isinstance(answer, dict) and answer.get("code") == 0
