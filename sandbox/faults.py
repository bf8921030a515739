"""Faults that can be switched on, one at a time for each gateway; counts of what was taken."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

GATEWAYS = {
    "wechat": {"slow", "down", "drop_after_accept", "error", "token_expired", "quota"},
    "sms": {"slow", "down", "drop_after_accept", "error", "undelivered", "no_receipt"},
}


@dataclass(slots=True)
class Fault:
    """One fault. `times` counts down; None lasts until cleared. `path` limits it to calls whose
    address holds it.
    """

    gateway: str
    fault: str
    code: str = ""
    seconds: float = 6.0
    times: int | None = None
    path: str = ""


class Faults:
    """The switchboard."""

    def __init__(self) -> None:
        self._active: dict[str, Fault] = {}
        self.counts: dict[str, Counter[str]] = {gateway: Counter() for gateway in GATEWAYS}

    def set(self, wish: dict[str, Any]) -> Fault:
        """Switch one on, replacing the gateway's last; raises ValueError when it is unknown."""
        gateway, name = wish.get("gateway"), wish.get("fault")
        if gateway not in GATEWAYS or name not in GATEWAYS[gateway]:
            raise ValueError(f"unknown fault; known: {sorted(GATEWAYS.items(), key=str)}")
        if name == "error" and not wish.get("code"):
            raise ValueError("fault 'error' needs a code")
        fault = Fault(
            gateway,
            name,
            code=str(wish.get("code") or ""),
            seconds=float(wish.get("seconds", 6.0)),
            # An expired token is one event: every call failing would be another fault.
            times=wish.get("times", 1 if name == "token_expired" else None),
            path=str(wish.get("path") or ""),
        )
        self._active[gateway] = fault
        return fault

    def clear(self, gateway: str | None = None) -> None:
        """Switch off one gateway's fault, or all."""
        for name in list(self._active) if gateway is None else [gateway]:
            self._active.pop(name, None)

    def take(self, gateway: str, path: str) -> Fault | None:
        """The fault that meets this call, used up by one."""
        fault = self._active.get(gateway)
        if fault is None or fault.path not in path:
            return None
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self._active[gateway]
        self.counts[gateway][f"fault:{fault.fault}"] += 1
        return fault

    def show(self) -> dict[str, Any]:
        """Active faults and counts, for the control API."""
        return {
            "faults": [asdict(fault) for fault in self._active.values()],
            "counts": {gateway: dict(counts) for gateway, counts in self.counts.items()},
        }
