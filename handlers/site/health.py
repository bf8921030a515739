"""For those who run the house: is it alive, can it work, how is it doing."""

from typing import ClassVar

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from handlers.base import Access, BaseHandler


class HealthHandler(BaseHandler):
    """``/healthz``: the process answers."""

    access: ClassVar[Access] = Access.PUBLIC

    def get(self) -> None:
        """Says ok."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("ok\n")


class ReadyHandler(BaseHandler):
    """``/readyz``: both engines answer, so this process may be given work."""

    access: ClassVar[Access] = Access.PUBLIC

    async def get(self) -> None:
        """200 when ready, 503 when not."""
        ready = await self.ctx.ready()
        self.set_status(200 if ready else 503)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("ready\n" if ready else "not ready\n")


class MetricsHandler(BaseHandler):
    """``/metrics``: figures for Prometheus; no figure names a person."""

    access: ClassVar[Access] = Access.PUBLIC

    def get(self) -> None:
        """All figures of this process."""
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(generate_latest(REGISTRY))
