"""Driving students in any number, ready to book subject 2, for races and benches.

One is made by the verbs. Every other is a copy of what that one left in the store, with a number,
a name and a key of his own, each sealed value opened and sealed anew for its place: so the
documents are what the stores write, whatever that is. Gives 10,000 in some ten seconds.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from casework.accounts import open_session
from casework.context import Context
from casework.enrolments import activate
from casework.numbers import number_for
from rules.people import Citizen
from storage.sealed_places import sealed_values, with_values
from storage.vault import Vault
from tests.bench.population import Person, person
from tests.casework.exams import enrolment, learner

_FIRST = 10_000_000
"""Of the people of ``tests.bench.population``, those born from 1980 on."""
_MODEL = 7_000_000
_CHUNK = 500


@dataclass(frozen=True)
class Student:
    """A student logged in on one device."""

    key: str
    token: str


async def students(ctx: Context, count: int) -> list[Student]:
    """So many students who may book subject 2 from today on: enrolled at the vehicle office, with
    a permit of sixty days ago and subject 1 passed, each logged in. Once a database."""
    model = await by_verbs(ctx, _MODEL)
    names = await _names(ctx, model.citizen, _MODEL)
    documents = await _left_behind(ctx, names)
    made: list[Student] = []
    pattern = re.compile("|".join(map(re.escape, vars(names).values())))
    for start in range(0, count, _CHUNK):
        copies: dict[str, list[dict[str, Any]]] = {name: [] for name in documents}
        for order in range(start, min(start + _CHUNK, count)):
            rename = _renaming(pattern, names, _names_of(ctx.stores.vault, order))
            for name, document in documents.items():
                copies[name].append(_copy(ctx.stores.vault, name, document, rename))
            made.append(Student(rename(model.citizen.key), rename(model.token)))
        for name, found in copies.items():
            await ctx.stores.database[name].insert_many(found, ordered=False)
    return made


@dataclass(frozen=True)
class Model:
    """A student made by the verbs, and his token."""

    citizen: Citizen
    token: str


async def by_verbs(ctx: Context, order: int) -> Model:
    """The student of that number, made as everybody is."""
    one = who(order)
    citizen = await learner(
        ctx, order, id_number=one.id_number, name=one.name, phone=one.phone, passed="1"
    )
    login = await open_session(ctx, citizen, "mini", "微信小程序")
    session = await ctx.stores.sessions.get(citizen.key)
    await activate(ctx, session)
    # Told long ago: no worker is to send ten thousand messages first.
    told = {"$set": {"notices": {}}, "$unset": {"notice_due": ""}}
    number = await enrolment(ctx, citizen)
    await ctx.stores.database["matters"].update_one({"_id": number}, told)
    return Model(citizen, login.token)


def who(order: int) -> Person:
    """The person a student is."""
    return person(_FIRST + order)


async def _left_behind(ctx: Context, names: "Names") -> dict[str, dict[str, Any]]:
    ids = {"sessions": names.key, "matters": names.matter, "enrolments": names.key}
    found = {n: await ctx.stores.database[n].find_one({"_id": i}) for n, i in ids.items()}
    assert all(found.values()), "the model has no account, enrolment or claim"
    return {name: document for name, document in found.items() if document is not None}


@dataclass(frozen=True)
class Names:
    """Everything by which one student's documents differ from another's."""

    key: str
    phone_key: str
    id_number: str
    name: str
    phone: str
    matter: str
    order: str


async def _names(ctx: Context, citizen: Citizen, order: int) -> Names:
    matter = await enrolment(ctx, citizen)
    expected = _names_of(ctx.stores.vault, order)
    assert (expected.key, expected.matter) == (citizen.key, matter)
    return expected


def _names_of(vault: Vault, order: int) -> Names:
    one = who(order)
    return Names(
        key=vault.id_key(one.id_number),
        phone_key=vault.phone_key(one.phone),
        id_number=one.id_number,
        name=one.name,
        phone=one.phone,
        matter=number_for(vault, f"enrol-{order}"),
        order=str(order),
    )


def _renaming(pattern: re.Pattern[str], old: Names, new: Names) -> Callable[[str], str]:
    """Puts one student's names for another's, all in one pass."""
    table = dict(zip(vars(old).values(), vars(new).values(), strict=True))
    return lambda text: pattern.sub(lambda found: table[found[0]], text)


def _copy(
    vault: Vault, collection: str, document: Mapping[str, Any], rename: Callable[[str], str]
) -> dict[str, Any]:
    copy = _renamed(document, rename)
    changed = {}
    for value in sealed_values(collection, document):
        content = value.reopened(vault).decode()
        context = rename(value.context)
        plain = rename(content)
        steps = tuple(rename(s) if isinstance(s, str) else s for s in value.steps)
        changed[steps] = vault.seal(orjson.loads(plain) if value.place.json else plain, context)
    return {**copy, **with_values(copy, changed)}


def _renamed(held: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(held, str):
        return rename(held)
    if isinstance(held, Mapping):
        return {rename(name): _renamed(value, rename) for name, value in held.items()}
    if isinstance(held, list):
        return [_renamed(value, rename) for value in held]
    return held
