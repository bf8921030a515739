"""What a guide says before anybody applies."""

from pathlib import Path

import pytest

from casework.guide import guide
from storage.engines import EngineUrls
from tests.casework.inside import SERVICE, house


@pytest.mark.gen_test(timeout=60)
async def test_what_only_an_agent_needs_is_marked_as_such(
    engine_urls: EngineUrls, mongo_database: str, tmp_path: Path
) -> None:
    async with house(engine_urls, mongo_database, tmp_path) as ctx:
        when = {m["name"]: m["when"] for m in guide(ctx, SERVICE)["materials"]}
        assert when["agent_id_card"] == "agent"
        assert {w for name, w in when.items() if name != "agent_id_card"} == {"always"}
