"""A thousand interleaved pairs of ID numbers, one with an account and one that is nowhere: are they
told apart by their answers, or by how long these take?

python -m tests.abuse.pairs [PAIRS] runs engines, sandbox, service and worker; asks for a code,
tries a wrong one and tries to register with data that do not fit, each for both of a pair; prints
medians and their ratio; exit code 0 when every body is the same and every ratio within 5 %.
Each pair comes from a network address of its own, as the limits want it, and no faster than they
allow.
"""

import asyncio
import http.client
import json
import secrets
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from casework.askers import prover_at
from casework.codes import slot
from casework.context import Context
from storage.session_documents import NewSession
from tests.abuse.attacker import Seen, address, seen
from tests.support.citizens import OFFICE, Known, known
from tests.support.engines import engine_process
from tests.support.processes import House
from tests.support.story import QuickTown, look
from tests.support.web import SECONDS, Reply

WITHIN = 0.05
PAIR_SECONDS = 0.125
"""Two codes each: the whole platform sends 1,200 a minute to strangers."""
_REST = {True: 0.4, False: 0.005}
_STRANGE_PHONE, _CODE, _WARM_UP = "13700000000", "135790", 30

Wish = tuple[str, dict[str, Any]]


@dataclass
class Kind:
    """One sort of request: milliseconds and answers, with an account and without."""

    ms: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    seen: dict[bool, list[Seen]] = field(default_factory=lambda: {True: [], False: []})

    @property
    def ratio(self) -> float:
        """Median with an account over median without."""
        return median(self.ms[True]) / median(self.ms[False])

    @property
    def quick_ratio(self) -> float:
        """The same of the first quartiles, which other work on the machine touches less."""
        quick = {who: quantiles(taken, n=4)[0] for who, taken in self.ms.items()}
        return quick[True] / quick[False]

    @property
    def alike(self) -> int:
        """How many pairs were answered the same."""
        return sum(a == b for a, b in zip(self.seen[True], self.seen[False], strict=True))


def wishes(person: Known) -> list[Wish]:
    """What is asked about one ID number."""
    number = {"id_number": person.id_number}
    return [
        ("/sms-codes", {"purpose": "login", **number}),
        ("/login/id-number", {**number, "sms_code": "000000"}),
        (
            "/registrations",
            {
                **number,
                "name": "张三丰",
                "phone": _STRANGE_PHONE,
                "sms_code": _CODE,
                "region": "4101",
            },
        ),
    ]


def ask(connection: http.client.HTTPConnection, wish: Wish) -> tuple[float, Reply]:
    """One request on an open connection: milliseconds until its whole answer, and that."""
    path, value = wish
    body = json.dumps(value).encode()
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": secrets.token_urlsafe(12),
    }
    began = time.perf_counter()
    connection.request("POST", f"/api/v1{path}", body, headers)
    response = connection.getresponse()
    reply = Reply(response.status, {}, response.read())
    return (time.perf_counter() - began) * 1000, reply


def run(house: House, pairs: list[tuple[Known, Known]]) -> dict[str, Kind]:
    """Ask about every pair, in turn first about the one and about the other."""
    kinds: dict[str, Kind] = {}
    for n, pair in enumerate(pairs):
        started = time.monotonic()
        connection = http.client.HTTPConnection(
            "127.0.0.1", house.port, timeout=SECONDS, source_address=(address(n), 0)
        )
        both = [(True, wishes(pair[0])), (False, wishes(pair[1]))]
        for step in range(len(both[0][1])):
            for registered, asked in both if (n + step) % 2 else reversed(both):
                wish = asked[step]
                # What follows a rest takes longer: let that be nobody's request.
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                ms, reply = ask(connection, wish)
                kind = kinds.setdefault(wish[0], Kind())
                if n >= _WARM_UP:
                    kind.ms[registered].append(ms)
                kind.seen[registered].append(seen(reply))
                # Worker and gateway share the processor here: let the SMS and its receipt pass.
                time.sleep(_REST[wish[0] == "/sms-codes"])
        connection.close()
        time.sleep(max(0.0, started + PAIR_SECONDS - time.monotonic()))
    return kinds


def peopled(house: House, count: int) -> list[tuple[Known, Known]]:
    """So many pairs: an account with a licence, and nobody."""
    pairs = [(known(n), known(5000 + n)) for n in range(count)]

    async def fill(ctx: Context) -> None:
        until = date.today() + timedelta(days=600)
        await ctx.stores.registry.upsert_licences(
            [
                {
                    "id_number": one.id_number,
                    "name": one.name,
                    "phone": one.phone,
                    "number": one.id_number,
                    "vehicle_class": "C1",
                    "status": "正常",
                    "issued_on": until - timedelta(days=2190),
                    "valid_from": until - timedelta(days=2190),
                    "valid_until": until,
                    "issuing_office": OFFICE,
                    "points": 0,
                }
                for one, _ in pairs
            ]
        )
        for n, pair in enumerate(pairs):
            one, vault = pair[0], ctx.stores.vault
            await ctx.stores.sessions.create(
                NewSession(
                    key=vault.id_key(one.id_number),
                    id_number=one.id_number,
                    name=one.name,
                    phone=one.phone,
                    created_at=ctx.now(),
                    cause=f"pairs-{n}",
                )
            )
            for person in pair:
                asker = prover_at(ctx, address(n))
                key = vault.id_key(person.id_number)
                place = slot(ctx, "register", key, _STRANGE_PHONE, asker)
                await ctx.stores.memory.put_code(place, _CODE, 3600)

    look(house, fill)
    return pairs


def main(count: int) -> int:
    """Print one line a sort of request; the exit code."""
    with (
        tempfile.TemporaryDirectory() as folder,
        engine_process(Path(folder) / "engines") as engine,
        House(Path(folder), engine.urls, "pairs") as house,
    ):
        house.start_sandbox()
        QuickTown(house, 1, valid_until=date.today() + timedelta(days=60))
        pairs = peopled(house, count + _WARM_UP)
        house.start_service()
        house.start_worker()
        kinds = run(house, pairs)
    bad = 0
    for path, kind in kinds.items():
        fine = kind.alike == len(pairs) and abs(kind.ratio - 1) <= WITHIN
        bad += not fine
        statuses = sorted({status for answers in kind.seen.values() for status, _ in answers})
        print(
            f"{path:18} {statuses}: {kind.alike} of {len(pairs)} pairs answered alike; median "
            f"{median(kind.ms[True]):.2f} ms with an account, {median(kind.ms[False]):.2f} ms "
            f"without, ratio {kind.ratio:.3f} (first quartiles {kind.quick_ratio:.3f})"
            f"{'' if fine else '  <- told apart'}"
        )
    return 1 if bad else 0


if __name__ == "__main__":
    asyncio.set_event_loop(None)
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
