"""What was sent to the citizen, and what is still owed."""

from casework import matters
from casework.views import NoticeView
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, operation


class NoticesHandler(ApiHandler):
    """``/notices``."""

    access = Access.CITIZEN

    @operation("Messages about my matters, newest first", gives=list[NoticeView])
    async def get(self) -> list[NoticeView]:
        """With channel and state, as the gateways told them."""
        return await matters.notices(self.ctx, self.citizen)
