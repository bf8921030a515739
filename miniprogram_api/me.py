"""The citizen's own page."""

from casework import me
from casework.me import Me
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, operation


class MeHandler(ApiHandler):
    """``/me``."""

    access = Access.CITIZEN

    @operation("Who I am, what I may do, what I have going", gives=Me)
    async def get(self) -> Me:
        """Name, ID number and phone are masked."""
        return await me.me(self.ctx, self.citizen)
