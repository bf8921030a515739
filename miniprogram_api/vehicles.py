"""The citizen's vehicles."""

from casework import window_bindings
from casework.views import VehicleView
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, operation


class VehiclesHandler(ApiHandler):
    """``/vehicles``."""

    access = Access.CITIZEN

    @operation("My vehicles", gives=list[VehicleView], refusals=("not-allowed-tier",))
    async def get(self) -> list[VehicleView]:
        """``bound`` says whether it was bound at the window and is still mine; until then the
        plate is masked."""
        return await window_bindings.vehicles(self.ctx, self.citizen)


class VehicleBindingHandler(ApiHandler):
    """``/vehicles/{vehicle}/binding``."""

    access = Access.CITIZEN

    @operation(
        "Unbind a vehicle", gives=list[VehicleView], refusals=("not-allowed-tier", "not-found")
    )
    async def delete(self, vehicle: str) -> list[VehicleView]:
        """Bound again only at the window, with the original ID card."""
        await window_bindings.unbind_vehicle(self.ctx, self.citizen, vehicle, self.cause)
        return await window_bindings.vehicles(self.ctx, self.citizen)
