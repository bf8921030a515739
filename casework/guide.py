"""The service guides, readable by everyone without logging in (REQ D4)."""

from dataclasses import dataclass
from typing import Any

from casework.context import Context
from rules.catalogue import Service


@dataclass(frozen=True)
class ServiceSummary:
    """One line of the catalogue. ``status`` is trial, planned, open or closed today."""

    code: str
    title: str
    sector: str
    sector_label: str
    kind: str
    status: str
    status_label: str


def services(ctx: Context) -> list[ServiceSummary]:
    """Every service of the catalogue, in its order."""
    return [_summary(ctx, service) for service in ctx.book.catalogue]


def _summary(ctx: Context, service: Service) -> ServiceSummary:
    say = ctx.book.texts.say
    status = service.status(ctx.today())
    return ServiceSummary(
        code=service.code,
        title=service.title,
        sector=service.sector,
        sector_label=say(f"sectors.{service.sector}"),
        kind=service.kind,
        status=status,
        status_label=say(f"statuses.{status}"),
    )


def guide(ctx: Context, code: str) -> dict[str, Any]:
    """All of one service a citizen should know before applying, as plain values.

    Raises service-unknown.
    """
    service = ctx.book.catalogue.find(code)
    figures = ctx.book.parameters
    today = ctx.today()
    limit = None
    if service.limits.review is not None:
        figure = figures.at(service.limits.review, today)
        limit = {"value": figure.value, "unit": figure.unit, "source": figure.source}
    return {
        **vars(_summary(ctx, service)),
        "law": list(service.law),
        "who": service.who.text,
        "conditions": [c.text(figures, today) for c in service.conditions],
        "fields": [
            {
                "name": f.name,
                "label": f.label,
                "type": f.type,
                "required": f.required,
                "options": [{"value": o.value, "label": o.label} for o in f.options],
                "help": f.help,
                "example": f.example,
            }
            for f in service.fields
        ],
        "materials": [
            {
                "name": m.name,
                "label": m.label,
                "shows": m.shows,
                "required": m.required,
                "max_photos": m.max_photos,
                "when": m.when,
            }
            for m in service.materials
        ],
        "steps": list(service.steps),
        "time_limit": limit,
        "fee": service.fee,
        "office": service.office.text,
        "result": service.result,
        "consent_templates": list(ctx.book.texts.consent_templates()),
    }
