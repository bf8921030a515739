"""What a supervisor must know to run one embedded engine."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


class EngineNotReady(Exception):
    """The engine did not answer its readiness command; it may be starting still."""


@dataclass(frozen=True)
class EngineUrls:
    """Where the engines are; the URLs hold their passwords and are never printed."""

    mongo_url: str
    redis_url: str

    def __repr__(self) -> str:
        """Without the passwords, so that no log shows them."""
        return "EngineUrls(…)"


@dataclass(frozen=True)
class EngineLaunch:
    """One way of starting an engine."""

    name: str
    command: tuple[str, ...]
    url: str
    ready: Callable[[], Awaitable[None]]
    """Asks a real command over the wire, with credentials; raises EngineNotReady."""
    env: Mapping[str, str] = field(default_factory=dict)
