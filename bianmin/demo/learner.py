"""The demo's driving student: enrolled, with a learner permit and the theory test passed, so that
whoever starts the platform can book a test at once."""

import tempfile
from datetime import timedelta
from pathlib import Path

from bianmin.demo import exam_files as files
from bianmin.demo.faces import portrait_jpeg
from casework import exchange
from casework.context import Context
from casework.enrolments import enrol_in_person
from casework.officers import Officer

LEARNER_ID, LEARNER = "411481200109092484", "周雨欣"
LEARNER_PHONE = "13910909248"
"""The one of her phone in the sandbox (``sandbox/registry/learners.csv``)."""


async def enrol_learner(ctx: Context, username: str, name: str) -> None:
    """Enter her at the window as that officer; permit and result come by file. Twice is once."""
    office = await ctx.office(files.OFFICE)
    if office is None:
        raise LookupError(files.OFFICE)
    entry = {
        **{"id_number": LEARNER_ID, "name": LEARNER, "phone": LEARNER_PHONE},
        **{"vehicle_class": "C1", "application": "初次申领", "medical_hospital": "市第一人民医院"},
        "medical_on": (ctx.today() - timedelta(days=50)).isoformat(),
    }
    officer = Officer(username, name, "reviewer", office)
    async with ctx.lab.spool() as portrait:
        await portrait.write(portrait_jpeg(LEARNER_ID, today=True))
        await enrol_in_person(ctx, officer, entry, portrait, "demo-learner")
    passed = ctx.today() - timedelta(days=35)
    with tempfile.TemporaryDirectory() as folder:
        for kind, rows in (
            ("learner-permits", files.permits(ctx.today(), {LEARNER_ID: LEARNER})),
            ("exam-results", [files.result(LEARNER_ID, "1", passed, "合格")]),
        ):
            path = files.write(Path(folder) / f"{kind}.csv", rows)
            report = await exchange.import_file(ctx, kind, path, lambda rows: None)
            if report.errors:
                raise LookupError(f"{kind}: {report.errors[0]}")
