"""A stolen dump names nobody: no ID number, phone, name, openid or plate in any document."""

import bson
import pytest

from storage.conversations import Place
from storage.engines import EngineUrls
from storage.officers import OfficerRecord
from storage.wechat_accounts import WechatAccount
from storage.wechat_bindings import Binding
from tests.storage.opening import ID_NUMBER, NAME, NOW, PHONE, opened, registered
from tests.storage.test_registry import LICENCE, VEHICLE
from tests.storage.test_sessions import _grant

OPENID = "o-openid-of-the-person"
SECRETS = (ID_NUMBER, NAME, PHONE, OPENID, "豫A12345", "13900010002", "13900010009", "李警官")


@pytest.mark.gen_test(timeout=60)
async def test_a_dump_names_nobody(engine_urls: EngineUrls, mongo_database: str) -> None:
    async with opened(engine_urls, mongo_database) as stores:
        key = await registered(stores)
        await _grant(stores, key, "e1", "13900010009")
        await stores.wechat_accounts.put(
            key, "mini", WechatAccount("k", "c", OPENID, NOW, OPENID, "u")
        )
        account = stores.vault.openid_key("wx1", OPENID)
        await stores.wechat_bindings.bind(Binding(account, "mini", key, "c", NOW))
        await stores.registry.upsert_population([{"id_number": ID_NUMBER, "name": NAME}])
        await stores.registry.upsert_licences([LICENCE])
        await stores.registry.upsert_vehicles([VEHICLE])
        await stores.officers.put(OfficerRecord("li", "$x", "TOTP", "4101V01", "r", "李警官"))
        for place in (Place("visitors", account), Place("sessions", key)):
            assert await stores.conversations.commit(
                place,
                0,
                message_id=f"{OPENID}:1",
                reply=f"{NAME}，您好",
                dialogue={"id_number": ID_NUMBER},
                expires_at=NOW,
            )
            message = {"openid": OPENID, "text": PHONE}
            await stores.conversations.postpone(place, f"{OPENID}:{place.kind}", message, NOW)
        seen = 0
        for name in await stores.database.list_collection_names():
            async for document in stores.database[name].find({}):
                seen += 1
                content = bson.encode(document)
                for secret in SECRETS:
                    assert secret.encode() not in content, (name, secret)
        assert seen >= 9
