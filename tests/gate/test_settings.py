"""Settings: where they come from, what is made, what production refuses."""

import base64
import stat
from pathlib import Path

import pytest

from bianmin.errors import SettingsError
from bianmin.settings import Settings, is_secret, variable
from bianmin.settings_sources import GENERATED, environment, load, problems, require


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting from outside; data in a folder of the test."""
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.setenv("BIANMIN_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)


def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings production accepts."""
    key = base64.b64encode(bytes(32)).decode()
    given = {
        **{variable(name): "a-long-random-secret" for name in GENERATED},
        "BIANMIN_ENV": "production",
        "BIANMIN_MASTER_KEY": key,
        "BIANMIN_INDEX_KEY": key,
        "BIANMIN_WECHAT_AES_KEY": key.rstrip("="),
        "BIANMIN_WECHAT_APPID": "wx1234567890abcdef",
        "BIANMIN_MINI_APPID": "wxabcdef1234567890",
        "BIANMIN_ALIYUN_KEY_ID": "LTAI0000",
        "BIANMIN_PUBLIC_URL": "https://bianmin.example.cn",
        "BIANMIN_MONGO_URL": "mongodb://db.example.cn",
        "BIANMIN_REDIS_URL": "rediss://redis.example.cn",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def test_development_secrets_are_made_once_and_kept_for_this_user() -> None:
    first, second = load(), load()
    for name in GENERATED:
        assert getattr(first.settings, name).get_secret_value()
        assert first.origins[name] == "keys.env"
    assert first.settings == second.settings
    path = first.settings.data_dir / "keys.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first.settings.master_key_bytes()) == len(first.settings.index_key_bytes()) == 32


def test_environment_beats_env_file_beats_made_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("BIANMIN_PORT=9001\nBIANMIN_WECHAT_TOKEN=from-the-file\n")
    monkeypatch.setenv("BIANMIN_PORT", "9002")
    loaded = load()
    assert (loaded.settings.port, loaded.origins["port"]) == (9002, "environment")
    assert loaded.settings.wechat_token.get_secret_value() == "from-the-file"
    assert loaded.origins["wechat_token"] == ".env"
    assert loaded.origins["host"] == "default"


def test_malformed_values_are_named_all_at_once_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BIANMIN_PORT", "many")
    monkeypatch.setenv("BIANMIN_MASTER_KEY", "c2hvcnQ=")
    monkeypatch.setenv("BIANMIN_CLOCK_OFFSET", "soon")
    with pytest.raises(SettingsError) as caught:
        load()
    text = str(caught.value)
    assert all(n in text for n in ("BIANMIN_PORT", "BIANMIN_MASTER_KEY", "BIANMIN_CLOCK_OFFSET"))
    assert "c2hvcnQ=" not in text


def test_production_with_everything_set_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    production(monkeypatch)
    assert require().env == "production"


def test_production_makes_no_secrets_and_names_everything_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BIANMIN_ENV", "production")
    with pytest.raises(SettingsError) as caught:
        require()
    for name in (*GENERATED, "wechat_appid", "public_url", "mongo_url", "redis_url"):
        assert variable(name) in str(caught.value)
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIANMIN_PUBLIC_URL", "http://bianmin.example.cn"),
        ("BIANMIN_WECHAT_API", "http://127.0.0.1:8001/wechat-api"),
        ("BIANMIN_ALIYUN_SMS_ENDPOINT", "https://localhost:8001/sms/"),
        ("BIANMIN_MONGO_URL", ""),
        ("BIANMIN_REDIS_URL", ""),
        ("BIANMIN_MASTER_KEY", ""),
        ("BIANMIN_EXCHANGE_KEY", "short"),
        ("BIANMIN_NOW", "2016-02-01T09:00:00+08:00"),
        ("BIANMIN_CLOCK_OFFSET", "60"),
        ("BIANMIN_CRASH_AT", "matter-written"),
    ],
)
def test_production_refuses(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    production(monkeypatch)
    monkeypatch.setenv(name, value)
    found = problems(load().settings)
    assert found
    assert all(name in line for line in found)


def test_children_read_back_what_they_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIANMIN_ALIYUN_SMS_SIGN", "豫警便民")
    settings = load().settings
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load().settings == settings


def test_the_clock_starts_at_now_and_children_get_the_offset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BIANMIN_NOW", "2016-02-01T09:00:00+08:00")
    assert load().settings.clock_offset() < -300_000_000
    monkeypatch.setenv("BIANMIN_CLOCK_OFFSET", "-5.5")
    assert load().settings.clock_offset() == -5.5


def test_no_secret_is_shown() -> None:
    settings = load().settings
    for name in Settings.model_fields:
        if is_secret(name) and (secret := getattr(settings, name).get_secret_value()):
            assert secret not in repr(settings)
