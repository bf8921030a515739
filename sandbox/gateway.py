"""What the two gateways' handlers share: faults that meet a call before and after its work."""

import asyncio

from tornado.web import RequestHandler

from sandbox.faults import Fault
from sandbox.world import World


class GatewayHandler(RequestHandler):
    """Base of the WeChat API and of the SMS gateway."""

    def initialize(self, world: World) -> None:
        self.world = world

    async def refused_by(self, fault: Fault | None) -> bool:
        """Let a slow or down gateway be felt; True when the call ends here."""
        if fault is None:
            return False
        if fault.fault == "slow":
            await asyncio.sleep(fault.seconds)
        if fault.fault == "down":
            self.set_status(503)
            self.finish("Service Unavailable")
            return True
        return False

    def hang_up(self) -> None:
        """Close the connection without an answer, as a network that broke after the work."""
        self.detach().close()
