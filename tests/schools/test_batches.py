"""A school's file from inside: every row once, every error told, nothing repeated."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest

from casework import enrolments, school_batches, steps
from casework.context import Context
from casework.officers import Officer
from casework.school_batch_worker import _Slice, work_batches
from casework.school_batches import BatchView, Upload
from casework.tables import content_of, write_csv, write_xlsx
from rules.book import load_rulebook
from rules.privacy import stored_paths
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.officers import OfficerRecord
from tests.casework.inside import house
from tests.casework.schools import NEAR, clerk
from tests.schools.files import archive, id_of, portrait, student, table


async def unsaid(ctx: Context) -> list[str]:
    """Paths of what is stored of schools' files that rules/privacy.toml does not speak of."""
    names = ("school_batches", "school.files", "school.chunks")
    documents = [(n, d) for n in names async for d in ctx.stores.database[n].find({})]
    assert documents
    paths = {path for name, document in documents for path in stored_paths(name, document)}
    return sorted(p for p in paths if ctx.book.privacy.field_of(p) is None)


async def uploaded(
    ctx: Context, who: Officer, rows: bytes, portraits: bytes = b"", cause: str = "upload"
) -> BatchView:
    """A file handed to the workers."""
    async with Upload(ctx, who, cause) as upload:
        await upload.table(rows)
        for start in range(0, len(portraits), 50_000):
            await upload.portraits(portraits[start : start + 50_000])
        return await upload.begin()


async def worked(ctx: Context, who: Officer, batch: BatchView) -> BatchView:
    """The same when it is done."""
    while await work_batches(ctx):
        pass
    return await school_batches.batch_view(ctx, who, batch.id)


def counts(batch: BatchView) -> tuple[str, int, int, int, int]:
    """(state, done, taken, there, wrong)."""
    return batch.state, batch.done, batch.taken, batch.there, batch.wrong


@pytest.mark.gen_test(timeout=180)
async def test_rows_are_taken_errors_told_corrected_and_nothing_repeated(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, day = await clerk(ctx), ctx.today() - timedelta(days=9)
        rows = [
            student(1, day),
            student(2, day, 手机号="123"),
            student(3, day, 体检日期=(ctx.today() - timedelta(days=400)).isoformat()),
            student(4, day),
            student(5, day, 照片文件名="five.png"),
            student(1, day),
        ]
        photos = archive([1, 2, 3], {"FIVE.PNG": portrait(5)})
        batch = await uploaded(ctx, who, table(rows), photos)
        assert counts(batch) == ("waiting", 0, 0, 0, 0) and batch.total == 6
        assert (await uploaded(ctx, who, table(rows), photos)).id == batch.id
        assert await unsaid(ctx) == []
        batch = await worked(ctx, who, batch)
        assert await unsaid(ctx) == []
        assert counts(batch) == ("done", 6, 2, 0, 4)
        wrong = await school_batches.error_list(ctx, who, batch.id)
        assert [(line, column) for line, column, _ in wrong] == [
            (3, "手机号"),
            (4, ""),
            (5, "照片文件名"),
            (7, "身份证号"),
        ]
        assert [why for *_, why in wrong][3] == "与第2行重复"
        listed = await enrolments.students(ctx, who, "submitted", None)
        assert listed.counts["submitted"] == 2

        # The same rows as a file, corrected, with the portraits again.
        again = await school_batches.rows_to_correct(ctx, who, batch.id)
        assert [len(row) for row in again] == [10] * 5 and "手机号码不正确" in again[1][-1]
        again[1][2], again[2][5] = "13600000002", day.isoformat()
        written = write_xlsx(again, "学员")
        second = await uploaded(ctx, who, written, archive([1, 2, 3, 4]), "second")
        second = await worked(ctx, who, second)
        assert counts(second) == ("done", 4, 3, 1, 0)
        third = await worked(
            ctx, who, await uploaded(ctx, who, written, archive([1, 2, 3, 4]), "3")
        )
        assert counts(third) == ("done", 4, 0, 4, 0)
        listed = await enrolments.students(ctx, who, "submitted", None)
        assert listed.counts["submitted"] == 5
        assert [b.id for b in await school_batches.batches(ctx, who)] == [
            third.id,
            second.id,
            batch.id,
        ]


@pytest.mark.gen_test(timeout=120)
async def test_another_school_sees_nothing_and_the_error_file_opens_in_a_spreadsheet(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, other = await clerk(ctx), await clerk(ctx, NEAR)
        rows = table([student(1, ctx.today(), 姓名="x")])
        batch = await worked(ctx, who, await uploaded(ctx, who, rows))
        for look in (
            school_batches.batch_view,
            school_batches.error_list,
            school_batches.rows_to_correct,
        ):
            with pytest.raises(Refusal) as refused:
                await look(ctx, other, batch.id)
            assert refused.value == Refusal("not-found")
        assert await school_batches.batches(ctx, other) == []
        found = await school_batches.error_list(ctx, who, batch.id)
        written = write_csv(school_batches.as_csv_rows(found, "列"))
        assert written.startswith(b"\xef\xbb\xbf")
        header, *lines = csv.reader(io.StringIO(written.decode("utf-8-sig")))
        assert header == ["行号", "列", "原因"] and lines[0][:2] == ["2", "姓名"]
        kept = await ctx.stores.database["school_batches"].find_one({"_id": batch.id})
        assert id_of(1) not in str(kept)


@pytest.mark.gen_test(timeout=120)
async def test_what_is_wrong_with_the_whole_file_is_told_at_once_and_nothing_stays(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, good = await clerk(ctx), table([student(1, ctx.today())])
        for rows, photos, code in (
            (b"", b"", "table-empty"),
            (good.replace("手机号".encode(), "手机".encode()), b"", "table-header"),
            (b"\xd0\xcf\x11\xe0", b"", "table-locked"),
            (b"x" * (6 << 20), b"", "table-too-large"),
            (good, b"no zip", "portraits-type"),
            (good, archive([1], {"../x.jpg": b"x"}), "portraits-path"),
        ):
            with pytest.raises(Refusal) as refused:
                await uploaded(ctx, who, rows, photos)
            assert refused.value.code == code
        for name in ("school.files", "school.chunks", "school_batches"):
            assert await ctx.stores.database[name].count_documents({}) == 0
        assert list((tmp_path / "spool").glob("*.spool")) == []


@pytest.mark.gen_test(timeout=120)
async def test_a_worker_that_lost_its_lease_changes_nothing_and_what_it_did_counts_once(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, day = await clerk(ctx), ctx.today()
        rows = table([student(n, day) for n in range(1, 5)])
        batch = await uploaded(ctx, who, rows, archive(range(1, 5)))
        stores = ctx.stores
        (waiting,) = await stores.school_batches.with_due(ctx.now(), 9)
        # One that took it, did two rows, and was never heard of again.
        assert await stores.school_batches.take(waiting, "dead", ctx.now() + timedelta(minutes=1))
        assert await work_batches(ctx) == 0
        parsed = await school_batches.load_rows(ctx, waiting)
        photos = await school_batches.open_archive(ctx, waiting.portraits)
        dead = _Slice(ctx, waiting, "dead")
        for row in parsed[:2]:
            await dead._row(who, row, photos)
        ctx.clock.ahead += timedelta(minutes=2)  # type: ignore[attr-defined]  # the test's clock
        done = await worked(ctx, who, batch)
        assert counts(done) == ("done", 4, 4, 0, 0)
        assert not await dead._commit("running")
        listed = await enrolments.students(ctx, who, "submitted", None)
        assert listed.counts["submitted"] == 4
        for row in listed.rows:
            assert (await steps.load(ctx, row.number)).matter.version == 1


@pytest.mark.gen_test(timeout=120)
async def test_portraits_of_a_photo_studio_are_large_enough_and_passport_stamps_are_not(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, day = await clerk(ctx), ctx.today()
        rows = table([student(n, day, 照片文件名=f"{n}.jpg") for n in (1, 2)])
        photos = archive([], {"1.jpg": portrait(1, (358, 441)), "2.jpg": portrait(2, (240, 300))})
        batch = await worked(ctx, who, await uploaded(ctx, who, rows, photos))
        assert counts(batch) == ("done", 2, 1, 0, 1)
        ((line, column, why),) = await school_batches.error_list(ctx, who, batch.id)
        assert (line, column) == (3, "照片文件名") and "太小" in why


@pytest.mark.gen_test(timeout=120)
async def test_a_file_whose_pieces_are_lost_ends_and_holds_up_no_other(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, day = await clerk(ctx), ctx.today()
        rows = table([student(n, day) for n in (1, 2)])
        lost = await uploaded(ctx, who, rows, archive([1, 2]), "lost")
        torn = await uploaded(ctx, who, rows, archive([1, 2]), "torn")
        good = await uploaded(ctx, who, rows, archive([1, 2]), "good")
        stored = {b.id: b for b in await ctx.stores.school_batches.with_due(ctx.now(), 9)}
        await ctx.stores.school_files.delete(stored[lost.id].rows_file)
        chunk = {"files_id": stored[torn.id].portraits, "n": 0}
        content = {"$set": {"data": b"x" * 300}}
        await ctx.stores.database["school.chunks"].update_one(chunk, content)
        states = [counts(await worked(ctx, who, b))[0] for b in (lost, torn, good)]
        assert states == ["failed", "failed", "done"]


@pytest.mark.gen_test(timeout=120)
async def test_the_file_of_a_clerk_shut_out_meanwhile_enrols_nobody(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, day = await clerk(ctx), ctx.today() - timedelta(days=9)
        login = OfficerRecord(who.username, "hash", None, who.office.code, "clerk", who.name)
        await ctx.stores.officers.put(login)
        batch = await uploaded(ctx, who, table([student(1, day)]), archive([1]))
        await ctx.stores.officers.disable(who.username)
        assert counts(await worked(ctx, who, batch)) == ("failed", 0, 0, 0, 0)


@pytest.mark.gen_test(timeout=60)
async def test_files_go_when_they_are_done_with(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await clerk(ctx)
        files = ctx.stores.database["school.files"]
        batch = await uploaded(ctx, who, table([student(1, ctx.today())]), archive([1]))
        lost = await ctx.stores.school_files.begin(matter="nobody", at=ctx.now())
        await lost.write(b"x")
        assert await files.count_documents({}) == 3
        assert counts(await worked(ctx, who, batch))[0] == "done"
        assert await files.count_documents({}) == 2
        ctx.clock.ahead += timedelta(days=2)  # type: ignore[attr-defined]  # the test's clock
        await worked(ctx, who, batch)
        assert await files.count_documents({}) == 1
        ctx.clock.ahead += timedelta(days=40)  # type: ignore[attr-defined]
        while await work_batches(ctx):
            pass
        assert await files.count_documents({}) == 0
        with pytest.raises(Refusal) as refused:
            await school_batches.batch_view(ctx, who, batch.id)
        assert refused.value == Refusal("not-found")


def test_the_template_has_the_headings_and_takes_a_row_as_text() -> None:
    rows = school_batches.template(load_rulebook().formats["students"])
    for content in (write_csv([*rows, ["1"]]), write_xlsx([*rows, ["410105199001011234"]], "学员")):
        assert content_of(content, 5).header == rows[0]
