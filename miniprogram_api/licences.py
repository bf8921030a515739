"""The citizen's driving licence."""

from casework import me
from casework.views import LicenceView
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, operation


class LicencesHandler(ApiHandler):
    """``/licences``."""

    access = Access.CITIZEN

    @operation("My driving licence, if the registry holds one", gives=list[LicenceView])
    async def get(self) -> list[LicenceView]:
        """``bound`` says whether it was bound at the window."""
        return await me.licences(self.ctx, self.citizen)
