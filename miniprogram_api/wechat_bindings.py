"""The WeChat accounts a citizen is recognised by."""

from casework import wechat_bindings
from handlers.base import Access
from miniprogram_api.operations import ApiHandler, operation


class BindingHandler(ApiHandler):
    """``/bindings/{app}``."""

    access = Access.CITIZEN

    @operation("Unbind the WeChat account of an app", status=204, refusals=("not-found",))
    async def delete(self, app: str) -> None:
        """It is not recognised any more and gets no messages; who was logged in stays so.
        Unbinding twice succeeds twice."""
        await wechat_bindings.unbind(self.ctx, self.citizen.key, app)
