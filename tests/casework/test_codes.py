"""SMS codes: whose they are, who can use up what, and what asking for one gives away."""

from pathlib import Path

import pytest

from casework import accounts, codes, wechat_bindings
from casework.askers import Asker, asker_at, asker_in_chat, prover_at
from casework.code_sending import send_codes
from casework.codes import CodeSent
from casework.context import Context
from casework.wechat_identity import WechatIdentity
from rules.refusals import Refusal
from storage.engines import EngineUrls
from storage.outbox import CodeJob
from tests.casework.inside import citizen, house
from tests.desk.town import id_number

HERE, ELSEWHERE, FAR = "198.51.100.7", "203.0.113.9", "2001:db8:1:2::3"


async def _ask(ctx: Context, number: str, asker: Asker, phone: str = "") -> CodeSent:
    purpose = "register" if phone else "login"
    return await codes.send_code(ctx, purpose=purpose, id_number=number, phone=phone, asker=asker)


async def _said(ctx: Context, number: str, asker: Asker, phone: str = "") -> str:
    try:
        await _ask(ctx, number, asker, phone)
    except Refusal as refusal:
        return refusal.code
    return "sent"


async def _jobs(ctx: Context) -> list[CodeJob]:
    return await ctx.stores.memory.outbox.take(100, 0.01)


async def _login(ctx: Context, number: str, code: str, asker: Asker) -> str:
    try:
        await accounts.login(
            ctx, id_number=number, sms_code=code, wechat=None, asker=asker, device=""
        )
    except Refusal as refusal:
        return refusal.code
    return "in"


async def _minute_over(ctx: Context, *names: str) -> None:
    """The minute's counters forgotten, so that a test need not wait."""
    for key in names:
        await ctx.stores.redis.delete(ctx.stores.memory._key("hit", f"code:{key}:all:minute"))


@pytest.mark.gen_test(timeout=60)
async def test_the_tries_of_one_asker_leave_anothers_code_alone(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        await _ask(ctx, who.id_number, asker_at(ctx, HERE))
        (job,) = await _jobs(ctx)
        wrong = "000000" if job.code != "000000" else "111111"
        for _ in range(8):
            assert await _login(ctx, who.id_number, wrong, prover_at(ctx, FAR)) == "code-expired"
        # Even the right code is worth nothing to another.
        assert await _login(ctx, who.id_number, job.code, prover_at(ctx, FAR)) == "code-expired"
        assert await _login(ctx, who.id_number, wrong, prover_at(ctx, HERE)) == "code-wrong"
        assert await _login(ctx, who.id_number, job.code, prover_at(ctx, HERE)) == "in"


@pytest.mark.gen_test(timeout=60)
async def test_were_a_code_the_phones_a_stranger_would_burn_it(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """What the test above guards against: one code for all askers, and its tries are gone."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        check, most = ctx.stores.memory.check_code, int(ctx.figure("sms_code.tries"))
        await ctx.stores.memory.put_code("login:everybody", "123456", 60)
        for _ in range(most):
            assert await check("login:everybody", "000000", most) == "wrong"
        assert await check("login:everybody", "123456", most) == "too_many"


@pytest.mark.gen_test(timeout=60)
async def test_a_challenge_proves_from_another_network(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        sent = await _ask(ctx, who.id_number, asker_at(ctx, HERE))
        (job,) = await _jobs(ctx)
        for challenge in (None, "", "nonsense", "汉字", sent.challenge[:-4] + "AAAA"):
            asker = prover_at(ctx, ELSEWHERE, challenge)
            assert await _login(ctx, who.id_number, job.code, asker) == "code-expired"
        asker = prover_at(ctx, ELSEWHERE, sent.challenge)
        assert await _login(ctx, who.id_number, job.code, asker) == "in"


@pytest.mark.gen_test(timeout=60)
async def test_strangers_leave_a_share_to_who_is_known(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        key, vault = who.key, ctx.stores.vault
        names = f"id:login:{key}", f"phone:{vault.phone_key(who.phone)}"
        device = asker_at(ctx, HERE)
        await _ask(ctx, who.id_number, device)
        (job,) = await _jobs(ctx)
        proof = prover_at(ctx, HERE, device.challenge)
        assert await _login(ctx, who.id_number, job.code, proof) == "in"
        mine = WechatIdentity("mini", "mine")
        await wechat_bindings.bind(ctx, key, mine)
        # Strangers, each from another place, until nothing is left for them.
        said = []
        for n in range(6):
            await _minute_over(ctx, *names)
            said.append(await _said(ctx, who.id_number, asker_at(ctx, f"192.0.2.{n}")))
        # They are told nothing of each other; the one of his own is the first of three an hour.
        assert said == ["sent"] * 6
        assert [j.phone for j in await _jobs(ctx)] == [who.phone] * 2 + [""] * 4
        # His device and his WeChat still get one each, and it is really sent.
        for asker in (
            asker_at(ctx, ELSEWHERE, challenge=device.challenge),
            asker_at(ctx, ELSEWHERE, wechat=mine),
        ):
            await _minute_over(ctx, *names)
            assert await _said(ctx, who.id_number, asker) == "sent"
            assert [j.phone for j in await _jobs(ctx)] == [who.phone]
        await _minute_over(ctx, *names)
        assert await _said(ctx, who.id_number, asker_at(ctx, HERE, wechat=mine)) == "too-many-codes"


@pytest.mark.gen_test(timeout=60)
async def test_strangers_may_not_use_up_a_phone_by_registering_others(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        chat = asker_in_chat(ctx, WechatIdentity("official", "mine"))
        await wechat_bindings.bind(ctx, who.key, WechatIdentity("official", "mine"))
        phone = f"phone:{ctx.stores.vault.phone_key(who.phone)}"
        for n in range(6):
            await _minute_over(ctx, phone)
            asker = asker_at(ctx, f"192.0.2.{n}")
            # Told the same, whether anything is sent or not.
            assert await _said(ctx, id_number(800 + n), asker, who.phone) == "sent"
        assert [j.phone for j in await _jobs(ctx)] == [who.phone] * 3 + [""] * 3
        # Nor does another account's known device help: this is not its phone.
        other = await citizen(ctx, 2)
        theirs = WechatIdentity("mini", "theirs")
        await wechat_bindings.bind(ctx, other.key, theirs)
        await _minute_over(ctx, phone)
        spare = asker_at(ctx, HERE, wechat=theirs)
        assert await _said(ctx, other.id_number, spare, who.phone) == "sent"
        assert [j.phone for j in await _jobs(ctx)] == [""]
        await _minute_over(ctx, phone)
        assert await _said(ctx, who.id_number, chat) == "sent"
        assert [j.phone for j in await _jobs(ctx)] == [who.phone]


@pytest.mark.gen_test(timeout=60)
async def test_asking_tells_nobody_who_is_registered(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, nobody = await citizen(ctx, 1), id_number(900)
        answers = []
        for number in (who.id_number, nobody):
            sent = await _ask(ctx, number, asker_at(ctx, HERE))
            answers.append((sent.minutes, sent.phone, sent.hint, len(sent.challenge)))
            assert await _said(ctx, number, asker_at(ctx, HERE)) == "too-many-codes"
            # What others asked for is not his to know.
            assert await _said(ctx, number, asker_at(ctx, ELSEWHERE)) == "sent"
        assert answers[0] == answers[1]
        sizes = [
            len(b) for b in await ctx.stores.redis.lrange(f"{mongo_database}:outbox:codes", 0, -1)
        ]
        assert len(sizes) == 4 and len(set(sizes)) == 1
        assert [j.phone for j in await _jobs(ctx)] == [who.phone, "", "", ""]
        # A code for his phone was just sent; who asks with that phone for another hears no less.
        assert await _said(ctx, id_number(901), asker_at(ctx, HERE), who.phone) == "sent"
        assert [j.phone for j in await _jobs(ctx)] == [""]


@pytest.mark.gen_test(timeout=60)
async def test_a_code_that_was_not_sent_cannot_be_guessed(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """Else every further address would be five more tries at the same account."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who = await citizen(ctx, 1)
        for number, address in ((who.id_number, HERE), (who.id_number, FAR), (id_number(9), FAR)):
            await _ask(ctx, number, asker_at(ctx, address))
        codes_made = [(job.phone, job.code) for job in await _jobs(ctx)]
        assert [phone for phone, _ in codes_made] == [who.phone, "", ""]
        for number, (_, code) in ((who.id_number, codes_made[1]), (id_number(9), codes_made[2])):
            assert await _login(ctx, number, code, prover_at(ctx, FAR)) == "code-wrong"
        assert await _login(ctx, who.id_number, codes_made[0][1], prover_at(ctx, HERE)) == "in"


@pytest.mark.gen_test(timeout=60)
async def test_a_flood_is_bounded_and_shuts_nobody_out_who_is_known(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, mine = await citizen(ctx, 1), WechatIdentity("mini", "mine")
        await wechat_bindings.bind(ctx, who.key, mine)
        all_of_them = ("code:strangers", int(ctx.figure("sms_code.strangers_per_minute")), 60)
        while not await ctx.stores.memory.take([all_of_them] * 200):
            pass
        while not await ctx.stores.memory.take([all_of_them]):
            pass
        assert await _said(ctx, id_number(900), asker_at(ctx, HERE)) == "busy-try-again"
        assert await _said(ctx, who.id_number, asker_at(ctx, HERE)) == "busy-try-again"
        assert await _said(ctx, who.id_number, asker_at(ctx, HERE, wechat=mine)) == "sent"


@pytest.mark.gen_test(timeout=60)
async def test_an_address_at_its_limit_uses_up_nobodys_codes(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, asker = await citizen(ctx, 1), asker_at(ctx, FAR)
        most = int(ctx.figure("sms_code.per_address_hour"))
        for _ in range(most):
            await ctx.stores.memory.hit(f"code:address:{asker.place}", most, 3600)
        # The whole /64 is one household.
        neighbour = asker_at(ctx, "2001:db8:1:2:ffff::1")
        assert await _said(ctx, who.id_number, neighbour) == "too-many-codes"
        assert await _said(ctx, who.id_number, asker_at(ctx, "2001:db8:1:3::1")) == "sent"


@pytest.mark.gen_test(timeout=60)
async def test_a_neighbours_flood_does_not_lock_a_known_device_out(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        who, device = await citizen(ctx, 1), asker_at(ctx, HERE)
        await _ask(ctx, who.id_number, device)
        (job,) = await _jobs(ctx)
        proof = prover_at(ctx, HERE, device.challenge)
        assert await _login(ctx, who.id_number, job.code, proof) == "in"
        for _ in range(int(ctx.figure("login.tries_per_address_hour"))):
            await ctx.stores.memory.hit(f"login:tries:{proof.place}", 1, 3600)
        neighbour = prover_at(ctx, HERE)
        assert await _login(ctx, who.id_number, "000000", neighbour) == "too-many-tries"
        assert await _login(ctx, id_number(900), "000000", neighbour) == "too-many-tries"
        assert await _login(ctx, who.id_number, "000000", proof) == "code-expired"


@pytest.mark.gen_test(timeout=60)
async def test_the_worker_drops_what_is_for_nobody_or_too_old(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    """The gateway of this house leads nowhere: a code tried would take its two seconds' rest."""
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        now = ctx.now().timestamp()
        await ctx.stores.memory.outbox.put(CodeJob("", "login", "123456", 5, now + 60))
        await ctx.stores.memory.outbox.put(CodeJob("13800000000", "login", "123456", 5, now - 1))
        assert await send_codes(ctx) == 2
        assert await send_codes(ctx) == 0


@pytest.mark.gen_test(timeout=60)
async def test_a_child_does_not_register_alone(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        today = ctx.today()
        born = {
            "child": today.replace(year=today.year - 14).strftime("%Y%m%d"),
            "infant": today.replace(year=today.year - 1).strftime("%Y%m%d"),
        }
        for who, birthday in born.items():
            number = _numbered(f"410105{birthday}101")
            with pytest.raises(Refusal) as refused:
                await accounts.register(
                    ctx,
                    id_number=number,
                    name="王小明",
                    phone="13800000001",
                    sms_code="123456",
                    region=None,
                    wechat=None,
                    asker=prover_at(ctx, HERE),
                    cause=who,
                )
            # Fourteen today is old enough; then it is the code that is asked for.
            wanted = "code-expired" if who == "child" else "guardian-needed"
            assert refused.value.code == wanted


def _numbered(body: str) -> str:
    total = sum(pow(2, 17 - i, 11) * int(c) for i, c in enumerate(body))
    return body + "10X98765432"[total % 11]
