"""Receipts of the SMS gateway: ``POST /callbacks/sms/{secret}``.

The gateway does not sign them, so the address carries a secret. It repeats what is not answered
with code 0 after 1, 5 and 10 minutes; a repeated receipt changes nothing.
"""

import hmac
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from tornado.routing import URLSpec
from tornado.web import HTTPError

from casework import delivery
from handlers.base import Access, BaseHandler

_MOST = 1000
_Short = Annotated[str, Field(max_length=64)]


class _Receipt(BaseModel):
    """One receipt as the gateway words it. The phone number is in it and is not read."""

    model_config = ConfigDict(extra="ignore")

    success: bool
    biz_id: _Short | None = None
    out_id: _Short | None = None
    err_code: _Short | None = None

    def plain(self) -> delivery.Receipt:
        """As casework takes it."""
        return delivery.Receipt(
            out_id=self.out_id or "",
            biz_id=self.biz_id or "",
            delivered=self.success,
            code=self.err_code or "",
        )


_RECEIPTS = TypeAdapter(Annotated[list[_Receipt], Field(max_length=_MOST)])


class SmsReceiptsHandler(BaseHandler):
    """Takes in what became of messages sent."""

    access: ClassVar[Access] = Access.CALLBACK

    def initialize(self, secret: str) -> None:
        """``secret`` is the part of the address only the gateway knows."""
        self._secret = secret

    def check_xsrf_cookie(self) -> None:
        """Nothing to check: a gateway has no cookies."""

    async def post(self, secret: str) -> None:
        """A JSON array of receipts. 404 for another secret, 400 for anything else."""
        if not hmac.compare_digest(secret.encode(), self._secret.encode()):
            raise HTTPError(404)
        try:
            found = _RECEIPTS.validate_json(self.request.body)
        except ValidationError as error:
            raise HTTPError(400) from error
        await delivery.receipts(self.ctx, [receipt.plain() for receipt in found])
        self.set_header("Content-Type", "application/json")
        self.finish(b'{"code":0,"msg":"ok"}')


def routes(secret: str) -> list[URLSpec]:
    """The callback's address. Raises ValueError for an empty secret, which would open it to all."""
    if not secret:
        raise ValueError("the SMS callback needs a secret")
    return [URLSpec(r"/callbacks/sms/([^/]+)", SmsReceiptsHandler, {"secret": secret})]
