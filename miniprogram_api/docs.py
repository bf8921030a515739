"""The OpenAPI document and a plain page that shows it; no asset comes from anywhere else."""

import base64
import hashlib
from pathlib import Path
from typing import Any, ClassVar

import orjson

from handlers.base import Access, BaseHandler
from miniprogram_api import openapi
from miniprogram_api.operations import ApiHandler, Encoded, operation
from miniprogram_api.routing import Route
from rules.book import Rulebook

_STYLE = """
body{font:15px/1.6 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1rem;color:#1c2733}
h1{font-size:1.5rem}h2{margin-top:2.5rem;border-bottom:2px solid #1c5d99}h3{margin:1.8rem 0 .3rem}
code,pre{font:13px/1.5 ui-monospace,monospace;background:#f0f3f6}pre{padding:.6rem;overflow:auto}
table{border-collapse:collapse;width:100%}td,th{border:1px solid #c9d3dc;padding:.25rem .5rem;
text-align:left;vertical-align:top}.m{color:#fff;background:#1c5d99;padding:.1rem .45rem}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


class Documents:
    """The document and its page, made when first asked for and then kept."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = routes
        self._document: dict[str, Any] | None = None
        self._encoded: Encoded | None = None

    def document(self, book: Rulebook) -> dict[str, Any]:
        """The OpenAPI document."""
        if self._document is None:
            self._document = openapi.document(self._routes, book)
        return self._document

    def encoded(self, book: Rulebook) -> Encoded:
        """The document as JSON."""
        if self._encoded is None:
            self._encoded = Encoded.of(self.document(book))
        return self._encoded


class _DocumentHandler(ApiHandler):
    access = Access.PUBLIC

    def initialize(self, documents: Documents) -> None:
        """``documents`` is shared by the handlers of a process."""
        self.documents = documents


class OpenApiHandler(_DocumentHandler):
    """``/api/v1/openapi.json``."""

    @operation("This document", gives=dict[str, Any], cached=True)
    async def get(self) -> Encoded:
        """OpenAPI 3.1."""
        return self.documents.encoded(self.ctx.book)


class DocsHandler(_DocumentHandler):
    """``/api/docs``."""

    policy: ClassVar[str] = (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
    )

    page_headers = BaseHandler.page_headers

    def get(self) -> None:
        """Every operation, schema and code, for reading."""
        texts = self.ctx.book.texts
        codes = [openapi.example(texts, code) for code in texts.refusal_codes()]
        self.set_header("Cache-Control", "public, max-age=60")
        self.render(
            "docs.html",
            document=self.documents.document(self.ctx.book),
            codes=codes,
            pretty=_pretty,
            style=_STYLE,
        )

    def get_template_path(self) -> str:
        """Beside this file."""
        return str(Path(__file__).parent / "templates")


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
