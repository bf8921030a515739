"""The citizen's driving licence."""

from casework import me, window_bindings
from casework.views import LicenceView
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, operation


class LicencesHandler(ApiHandler):
    """``/licences``."""

    access = Access.CITIZEN

    @operation(
        "My driving licence, if the registry holds one",
        gives=list[LicenceView],
        refusals=("not-allowed-tier",),
    )
    async def get(self) -> list[LicenceView]:
        """``bound`` says whether it was bound at the window."""
        return await me.licences(self.ctx, self.citizen)


class LicenceBindingHandler(ApiHandler):
    """``/licences/binding``."""

    access = Access.CITIZEN

    @operation("Unbind my driving licence", gives=list[LicenceView], refusals=("not-allowed-tier",))
    async def delete(self) -> list[LicenceView]:
        """Bound again only at the window, with the original ID card."""
        await window_bindings.unbind_licence(self.ctx, self.citizen, self.cause)
        return await me.licences(self.ctx, self.citizen)
