"""The devices a citizen is logged in on."""

from casework import logins
from casework.logins import DeviceView
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, operation


class DevicesHandler(ApiHandler):
    """``/devices``."""

    access = Access.CITIZEN

    @operation("Where I am logged in, newest first", gives=list[DeviceView])
    async def get(self) -> list[DeviceView]:
        """``current`` marks the device that asks. ``reused``: signed out because an old token of
        it was used, which only a copy can explain."""
        return await logins.listed(self.ctx, self.citizen, self.token)

    @operation("Sign out all other devices", status=204)
    async def delete(self) -> None:
        """The device that asks stays logged in."""
        await logins.sign_out_others(self.ctx, self.citizen.key, self.token)


class DeviceHandler(ApiHandler):
    """``/devices/{device}``."""

    access = Access.CITIZEN

    @operation("Sign a device out", status=204, refusals=("not-found",))
    async def delete(self, device: str) -> None:
        """Signing out twice succeeds twice."""
        await logins.sign_out_device(self.ctx, self.citizen.key, device)
