"""What is held about persons, why and for how long: for everyone to read."""

from casework import privacy
from casework.privacy import PrivacyNotice
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, operation


class PrivacyHandler(ApiHandler):
    """``/privacy``."""

    access = Access.PUBLIC

    @operation("The privacy notice that holds today, with every field held", gives=PrivacyNotice)
    async def get(self) -> PrivacyNotice:
        """``version`` is what ``POST /registrations`` and ``POST /consents`` take."""
        return privacy.notice(self.ctx)
