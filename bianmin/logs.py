"""Structured logs, one JSON line each, with whatever looks like personal data masked."""

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from bianmin.settings import Settings

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z
# The last net: nothing should log these, and a slip must not reach the disk.
_ID_NUMBER = re.compile(rb"(?<!\d)\d{17}[\dXx](?!\d)")
_PHONE = re.compile(rb"(?<!\d)1[3-9]\d{9}(?!\d)")


def _line(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    """The event as one JSON line; masked once, after rendering, so that nothing slips by."""
    line = orjson.dumps(event, default=repr, option=_OPTIONS)
    return _PHONE.sub(b"<phone>", _ID_NUMBER.sub(b"<id>", line))


def _text_line(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
    return _line(logger, name, event).decode()


def configure_logs(settings: Settings, process: str) -> None:
    """Send every logger of this process to standard error as masked JSON lines."""

    def stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        event["timestamp"] = datetime.now(UTC)
        return event

    shared: list[Any] = [
        structlog.processors.add_log_level,
        stamp,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _line],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _text_line],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    # Their informative lines hold addresses with queries.
    for name in ("tornado.access", "tornado.general", "pymongo", "PIL", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
