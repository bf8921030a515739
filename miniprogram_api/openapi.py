"""The OpenAPI 3.1 document, made from the routes and what their operations declare."""

import inspect
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from casework.views import PhotoFile
from handlers.base import JSON_LIMIT, Access
from miniprogram_api.operations import FileForm, Operation
from miniprogram_api.routing import PATH_PARAMETERS, PREFIX, Route
from rules.book import Rulebook
from rules.refusals import Refusal, Worded
from rules.texts import Texts

Mode = Literal["validation", "serialization"]
_REF = "#/components/schemas/{model}"
_ABOUT = f"""JSON over HTTPS for the mini-program.

* Errors are RFC 9457 `application/problem+json`: `code` for programs, `detail` and `next` in
  Chinese for the citizen, `params` with what they were made from.
* Every write takes an `Idempotency-Key` of 8 to 128 visible ASCII characters. A repeated request
  with the same key changes nothing more and is answered with the present state; with another
  body it is another request.
* Times are UTC, ISO 8601 with `Z`; dates are Asia/Shanghai dates.
* A JSON body has at most {JSON_LIMIT // 1024} KB.
"""


class ProblemBody(BaseModel):
    """An error. ``code`` never changes its meaning; more members may come."""

    type: str = Field(description="Where the code is explained")
    status: int
    code: str
    detail: str = Field(description="What is wrong, in Chinese")
    next: str = Field(description="What to do next, in Chinese")
    request_id: str
    params: dict[str, Any] = Field(
        default={}, description="What the wording was made from; form-incomplete: fields"
    )


def document(routes: Iterable[Route], book: Rulebook) -> dict[str, Any]:
    """The whole document. Raises KeyError when a declared refusal has no text."""
    listed = list(routes)
    schemas = _Schemas(listed)
    paths: dict[str, Any] = {}
    for route in listed:
        paths[PREFIX + route.path] = {
            method: _operation(route, method, declared, schemas, book.texts)
            for method, declared in route.handler.operations.items()
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": book.texts.say("api.title"), "version": "1", "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Schemas:
    """JSON Schemas of every model named by an operation, each defined once."""

    def __init__(self, routes: list[Route]) -> None:
        inputs: list[Any] = []
        outputs: list[Any] = [ProblemBody]
        for declared in (o for route in routes for o in route.handler.operations.values()):
            inputs += [m for m in (declared.body, declared.query) if m is not None]
            if declared.gives not in (None, PhotoFile):
                outputs.append(declared.gives)
        wanted: list[tuple[str, Mode, TypeAdapter[Any]]] = []
        wanted += [(repr(m), "validation", TypeAdapter(m)) for m in inputs]
        wanted += [(repr(m), "serialization", TypeAdapter(m)) for m in outputs]
        self._found, rest = TypeAdapter.json_schemas(wanted, ref_template=_REF)
        self.definitions: dict[str, Any] = rest.get("$defs", {})

    def body(self, model: Any) -> dict[str, Any]:
        """The schema of what is sent."""
        return self._found[(repr(model), "validation")]

    def answer(self, model: Any) -> dict[str, Any]:
        """The schema of what is given."""
        return self._found[(repr(model), "serialization")]

    def properties(self, model: Any) -> tuple[dict[str, Any], list[str]]:
        """Properties of a flat model and which are required."""
        schema = self.body(model)
        if "$ref" in schema:
            schema = self.definitions[schema["$ref"].rsplit("/", 1)[-1]]
        return schema["properties"], schema.get("required", [])


def _security(access: Access, refusals: frozenset[str]) -> list[dict[str, list[str]]]:
    if "not-logged-in" not in refusals:
        return []
    # A public address that takes a token takes none as well.
    return [{"bearer": []}] if access is Access.CITIZEN else [{}, {"bearer": []}]


def _operation(
    route: Route, method: str, declared: Operation, schemas: _Schemas, texts: Texts
) -> dict[str, Any]:
    handler = route.handler
    refusals = declared.all_refusals(handler.access)
    described: dict[str, Any] = {
        "operationId": f"{method}{handler.__name__.removesuffix('Handler')}",
        "summary": declared.summary,
        "description": inspect.getdoc(getattr(handler, method)) or "",
        "tags": [route.path.split("/")[1]],
        "parameters": _parameters(route, declared, schemas),
        "responses": _responses(declared, refusals, schemas, texts),
        "security": _security(handler.access, refusals),
    }
    if declared.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.body(declared.body)}},
        }
    if declared.form is not None:
        described["requestBody"] = _form_body(declared.form)
    return described


def _parameters(route: Route, declared: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in route.parameters:
        parameter = PATH_PARAMETERS[name]
        schema: dict[str, Any] = {"type": "string", "pattern": f"^{parameter.pattern}$"}
        if parameter.example:
            schema["examples"] = [parameter.example]
        found.append(_parameter(name, "path", True, schema, parameter.description))
    if declared.query is not None:
        properties, required = schemas.properties(declared.query)
        for name, schema in properties.items():
            found.append(_parameter(name, "query", name in required, schema, ""))
    if declared.writes:
        key = {"type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[\\x21-\\x7e]+$"}
        about = "New for each thing wanted, the same when it is sent again"
        found.append(_parameter("Idempotency-Key", "header", True, key, about))
    return found


def _parameter(
    name: str, place: str, required: bool, schema: dict[str, Any], about: str
) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": required,
        "schema": schema,
        "description": about,
    }


def _form_body(form: FileForm) -> dict[str, Any]:
    properties: dict[str, Any] = {
        name: {"type": "string", "description": about} for name, about in form.fields.items()
    }
    # OpenAPI 3.1 says of a binary part only that it has a media type.
    properties["file"] = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "description": form.file,
    }
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _responses(
    declared: Operation, refusals: frozenset[str], schemas: _Schemas, texts: Texts
) -> dict[str, Any]:
    found: dict[str, Any] = {str(declared.status): _success(declared, schemas)}
    if declared.cached:
        found["304"] = {"description": "What If-None-Match names is still right"}
    by_status: dict[int, dict[str, Any]] = {}
    for code in sorted(refusals):
        worded = example(texts, code)
        value = {"code": code, "status": worded.status, "detail": worded.detail}
        by_status.setdefault(worded.status, {})[code] = {"value": {**value, "next": worded.next}}
    for status, examples in sorted(by_status.items()):
        found[str(status)] = {
            "description": ", ".join(examples),
            "content": {
                "application/problem+json": {
                    "schema": schemas.answer(ProblemBody),
                    "examples": examples,
                }
            },
        }
    return found


def _success(declared: Operation, schemas: _Schemas) -> dict[str, Any]:
    if declared.gives is None:
        return {"description": "Done"}
    if declared.gives is PhotoFile:
        return {"description": "The picture", "content": {"image/*": {}}}
    schema = schemas.answer(declared.gives)
    return {"description": declared.summary, "content": {"application/json": {"schema": schema}}}


def example(texts: Texts, code: str) -> Worded:
    """A refusal with its placeholders standing for themselves."""
    names = {name: f"‹{name}›" for name in texts.refusal_needs(code)}
    return texts.refusal(Refusal(code, **names))
