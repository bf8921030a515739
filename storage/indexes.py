"""Every query of ``storage`` with the index that serves it, and the indexes made from that list.

The embedded engine uses an index only if it covers the whole filter, so a condition on ``_id`` and
a counter needs one on both; MongoDB finds the one document by ``_id`` and needs none of those,
which are marked ``embedded``. A test asks ``explain`` of each query on the running server. Sparse,
not partial: the embedded engine does not use partial indexes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The lower end of every "due by now": the embedded engine reads everything for an open range."""

Keys = tuple[tuple[str, int], ...]
ID: Keys = (("_id", 1),)

_LATER = datetime(2100, 1, 1, tzinfo=UTC)
_DUE = {"$gt": EPOCH, "$lte": _LATER}


@dataclass(frozen=True)
class Query:
    """One shape of query: an example filter and sort, and the index that must serve it."""

    collection: str
    filter: Mapping[str, Any]
    index: Keys
    sort: Mapping[str, int] = field(default_factory=dict)
    sparse: bool = False
    unique: bool = False
    embedded: bool = False
    """True when only the embedded engine needs this index."""


def _by_id(*collections: str) -> list[Query]:
    return [Query(c, {"_id": "x"}, ID) for c in collections]


def _with_counter(collection: str, counter: str, value: Any = 1) -> Query:
    keys = (("_id", 1), (counter, 1))
    return Query(collection, {"_id": "x", counter: value}, keys, embedded=True)


def _due(collection: str, name: str) -> Query:
    return Query(collection, {name: _DUE}, ((name, 1),), {name: 1}, sparse=True)


def _between(collection: str, equal: tuple[str, ...], name: str) -> Query:
    """Equal fields, then a range of one, in its order."""
    keys = (*((field, 1) for field in equal), (name, 1))
    wanted = {**dict.fromkeys(equal, "x"), name: {"$gt": "", "$lt": "~"}}
    return Query(collection, wanted, keys, dict(keys))


def _summed(collection: str, equal: str, name: str) -> Query:
    """The same, in whatever order: it is summed up."""
    return replace(_between(collection, (equal,), name), sort={})


_NEWEST_FIRST: Keys = (("applicant", 1), ("created_at", -1))
_WORK: Keys = (("office", 1), ("state", 1), ("queue", 1))
_SCHOOL: Keys = (("school", 1), ("state", 1), ("queue", 1))
_CHUNKS: Keys = (("files_id", 1), ("n", 1))
_BATCHES: Keys = (("school", 1), ("created_at", -1))

QUERIES: tuple[Query, ...] = (
    *_by_id("sessions", "wechat_bindings", "visitors", "late_messages", "matters", "officers"),
    *_by_id("registry_population", "registry_licences", "registry_vehicles", "registry_offices"),
    *_by_id("photos.files", "access_runs", "keys", "processes", "upkeep"),
    *_by_id("enrolments", "live_bookings", "exam_plans", "registry_sites"),
    # what closing an account leaves to do
    _due("sessions", "farewell_due"),
    _due("sessions", "closed_due"),
    # promised answers
    _due("late_messages", "due"),
    _with_counter("late_messages", "due", EPOCH),
    # WeChat accounts being bound
    _due("wechat_bindings", "due"),
    _with_counter("wechat_bindings", "claim", "x"),
    # matters: the one write, delivery, lists, what is owed
    _with_counter("matters", "version"),
    _with_counter("matters", "notice_rev"),
    Query("matters", {"applicant": "x"}, _NEWEST_FIRST, {"applicant": -1, "created_at": -1}),
    Query("matters", {"office": "x", "state": "x"}, _WORK),
    Query(
        "matters",
        {"office": "x", "state": "x", "queue": {"$gt": ""}},
        _WORK,
        {"office": 1, "state": 1, "queue": 1},
    ),
    Query("matters", {"school": "x", "state": "x"}, _SCHOOL),
    Query(
        "matters",
        {"school": "x", "state": "x", "queue": {"$gt": ""}},
        _SCHOOL,
        {"school": 1, "state": 1, "queue": 1},
    ),
    *(_due("matters", f"{what}_due") for what in ("notice", "effect", "remind", "export")),
    Query("matters", {"untold": {"$gt": "", "$lt": "~"}}, (("untold", 1),), {"untold": 1}, True),
    Query("officers", {"office": "x"}, (("office", 1),)),
    # who is enrolled as a student, who has booked a subject
    *(_with_counter(claims, "matter", "x") for claims in ("enrolments", "live_bookings")),
    *(_with_counter(claims, "unconfirmed", EPOCH) for claims in ("enrolments", "live_bookings")),
    *(_due(claims, "unconfirmed") for claims in ("enrolments", "live_bookings")),
    # sessions of tests: places, lists by office, site, region, subject and class
    _with_counter("exam_plans", "rev"),
    _due("exam_plans", "due"),
    _between("exam_plans", ("office",), "when"),
    _between("exam_plans", ("site",), "when"),
    _between("exam_plans", ("region",), "when"),
    _between("exam_plans", ("office", "subject", "vehicle_class"), "when"),
    *(_summed("exam_plans", place, "when") for place in ("office", "site")),
    Query("registry_sites", {"office": "x"}, (("office", 1),)),
    # matters an agent applied for, by the person they are about
    Query(
        "matters",
        {"principal": "x"},
        (("principal", 1), ("created_at", -1)),
        {"principal": -1, "created_at": -1},
        sparse=True,
    ),
    # mandates
    *_by_id("mandates"),
    *(
        Query("mandates", {p: "x"}, ((p, 1), ("updated_at", -1)), {p: -1, "updated_at": -1})
        for p in ("principal", "agent")
    ),
    _due("mandates", "notice_due"),
    # what has been kept long enough
    Query(
        "matters",
        {"state": "x", "updated_at": _DUE},
        (("state", 1), ("updated_at", 1)),
        {"state": 1, "updated_at": 1},
    ),
    Query(
        "matters",
        {"state": "x", "submitted_at": None, "updated_at": _DUE},
        (("state", 1), ("submitted_at", 1), ("updated_at", 1)),
        {"state": 1, "submitted_at": 1, "updated_at": 1},
    ),
    _due("sessions", "talk.expires_at"),
    _due("sessions", "devices.expires_at"),
    _due("visitors", "talk.expires_at"),
    _with_counter("visitors", "talk.expires_at", EPOCH),
    _due("late_messages", "since"),
    _due("mandates", "updated_at"),
    _with_counter("mandates", "updated_at", EPOCH),
    Query("photos.files", {"metadata.matter": "x"}, (("metadata.matter", 1),)),
    # registries
    Query("registry_vehicles", {"owner": "x"}, (("owner", 1),)),
    Query("registry_offices", {"region": "x", "kind": "x"}, (("region", 1), ("kind", 1))),
    Query("registry_offices", {"region": "x"}, (("region", 1), ("kind", 1))),
    Query("registry_offices", {"kind": "x"}, (("kind", 1),)),
    # photos
    _due("photos.files", "metadata.unconfirmed"),
    Query("photos.chunks", {"files_id": "x"}, _CHUNKS, unique=True),
    Query("photos.chunks", {"files_id": "x"}, _CHUNKS, {"n": 1}, unique=True),
    # batches of driving schools
    *_by_id("school_batches", "school.files"),
    Query("school_batches", {"school": "x"}, _BATCHES, {"school": 1, "created_at": -1}),
    *(_due("school_batches", name) for name in ("due", "ends")),
    _due("school.files", "metadata.unconfirmed"),
    Query("school.chunks", {"files_id": "x"}, _CHUNKS, unique=True),
    Query("school.chunks", {"files_id": "x"}, _CHUNKS, {"n": 1}, unique=True),
    Query("school.chunks", {"files_id": "x", "n": 1}, _CHUNKS, unique=True),
    # access log
    Query("access_log", {"run": "x"}, (("run", 1), ("seq", 1)), {"seq": 1}),
    Query("access_log", {"run": "x", "seq": {"$gt": 0}}, (("run", 1), ("seq", 1)), {"seq": 1}),
    Query("access_log", {"run": "x"}, (("run", 1), ("seq", 1))),
    Query(
        "access_log",
        {"subject": "x"},
        (("subject", 1), ("at", -1)),
        {"subject": -1, "at": -1},
    ),
    Query("access_runs", {"open": True}, (("open", 1),), sparse=True),
    Query("access_anchors", {"run": "x"}, (("run", 1),)),
)
"""Every query with a filter. Read whole, and small: ``keys``, ``officers`` and all offices (lists
for the command line and the guide), ``processes``, ``access_runs`` (checking the whole log); and by
the upkeep of keys every collection, from one end to the other."""


async def ensure_indexes(database: AsyncDatabase[dict[str, Any]]) -> None:
    """Make what is missing. Called at every start, so that indexes exist before the first row:
    building one on a large collection can stall the embedded engine."""
    there: dict[str, set[Keys]] = {}
    for query in QUERIES:
        if query.index == ID:
            continue
        collection = database[query.collection]
        if query.collection not in there:
            known = await collection.index_information()
            there[query.collection] = {tuple(i["key"]) for i in known.values()}
        if query.index not in there[query.collection]:
            await collection.create_index(
                list(query.index), sparse=query.sparse, unique=query.unique
            )
            there[query.collection].add(query.index)
