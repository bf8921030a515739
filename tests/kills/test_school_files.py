"""A worker at a school's file is killed between rows; another goes on, nothing is doubled."""

import secrets
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from casework import school_batches
from casework.context import Context
from casework.school_batches import BatchView
from casework.tables import write_csv
from storage.engines import EngineUrls
from tests.casework.schools import clerk
from tests.kills.houses import KILLED
from tests.schools.files import HEADER, archive, student
from tests.support.processes import House
from tests.support.story import look, until

ROWS = 30
WRONG = 4


async def uploaded(ctx: Context) -> str:
    """A file of thirty students, one of them wrong; the batch's id."""
    who, day = await clerk(ctx), ctx.today() - timedelta(days=9)
    rows = [student(n, day) for n in range(ROWS)]
    rows[WRONG][2] = "123"
    async with school_batches.Upload(ctx, who, "upload") as upload:
        await upload.table(write_csv([HEADER, *rows]))
        await upload.portraits(archive(range(ROWS)))
        return (await upload.begin()).id


async def state_of(ctx: Context, batch: str) -> BatchView:
    """How far it is."""
    return await school_batches.batch_view(ctx, await clerk(ctx), batch)


async def students_of(ctx: Context) -> Counter[str]:
    """How many enrolments each applicant has."""
    found: Any = ctx.stores.database["matters"].find({}, {"applicant": 1, "version": 1})
    rows = [d async for d in found]
    assert all(d["version"] == 1 for d in rows)
    return Counter(d["applicant"] for d in rows)


def test_a_killed_worker_is_followed_at_the_next_row(
    engine_urls: EngineUrls, tmp_path: Path
) -> None:
    with House(tmp_path, engine_urls, f"test_kills_{secrets.token_hex(6)}") as house:
        batch = look(house, uploaded)
        # Killed twice: in the first rows, and by the next worker after the first commits.
        for number, nth in enumerate((3, 12), 1):
            dying = house.start_worker(
                BIANMIN_CRASH_AT=f"after-batch-row:{nth}",
                BIANMIN_CLOCK_OFFSET=str(600 * number),
            )
            assert dying.wait(90) == KILLED
            before = look(house, lambda ctx: state_of(ctx, batch))
            assert before.state == "running" and before.done < ROWS
        house.start_worker(BIANMIN_CLOCK_OFFSET="3600")
        until(
            "the file is done",
            lambda: look(house, lambda ctx: state_of(ctx, batch)).state == "done",
        )
        done = look(house, lambda ctx: state_of(ctx, batch))
        assert (done.done, done.taken, done.there, done.wrong) == (ROWS, ROWS - 1, 0, 1)
        enrolled = look(house, students_of)
        assert len(enrolled) == ROWS - 1 and set(enrolled.values()) == {1}
