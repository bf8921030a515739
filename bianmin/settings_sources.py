"""Where settings come from, the secrets of development, and what production refuses."""

import base64
import fcntl
import os
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from bianmin.errors import SettingsError
from bianmin.settings import Settings, is_secret, variable

LETTERS = string.ascii_letters + string.digits
MIN_SECRET_LENGTH = 16
"""Shorter secrets are taken for placeholders in production."""


def _base64_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _letters(count: int) -> Callable[[], str]:
    return lambda: "".join(secrets.choice(LETTERS) for _ in range(count))


GENERATED: Mapping[str, Callable[[], str]] = {
    "master_key": _base64_key,
    "index_key": _base64_key,
    "cookie_secret": _letters(43),
    "exchange_key": _letters(43),
    "wechat_secret": _letters(32),
    "wechat_token": _letters(32),
    "wechat_aes_key": lambda: base64.b64encode(secrets.token_bytes(32)).decode().rstrip("="),
    "mini_secret": _letters(32),
    "aliyun_key_secret": _letters(30),
    "sms_callback_secret": _letters(32),
}
"""How a missing secret is made in development. WeChat's EncodingAESKey has no `=` at its end."""


@dataclass(frozen=True)
class Loaded:
    """Settings and, for each field, where its value came from."""

    settings: Settings
    origins: Mapping[str, str]


def load(dotenv: Path = Path(".env")) -> Loaded:
    """Read the settings. Raises SettingsError when a value is malformed.

    Does not judge them: see `problems`, and `require` for both at once.
    """
    files = [dotenv]
    settings = _read(files)
    missing = [name for name in GENERATED if not getattr(settings, name).get_secret_value()]
    if missing and settings.env == "development":
        files.insert(0, development_secrets(settings.data_dir, missing))
        settings = _read(files)
    sources: dict[str, Mapping[str, str | None]] = {
        file.name: dotenv_values(file) for file in files
    } | {"environment": os.environ}
    origins = {
        name: next((s for s in reversed(sources) if sources[s].get(variable(name))), "default")
        for name in Settings.model_fields
    }
    return Loaded(settings, origins)


def require(dotenv: Path = Path(".env")) -> Settings:
    """Settings that may be worked with. Raises SettingsError naming everything that is wrong."""
    settings = load(dotenv).settings
    found = problems(settings)
    if found:
        raise SettingsError(
            "BIANMIN_ENV=production, and these settings do not allow it:\n"
            + "\n".join(f"  - {line}" for line in found)
        )
    return settings


def _read(files: Sequence[Path]) -> Settings:
    """Settings from the environment, above these files, of which the last counts most."""
    try:
        return Settings(_env_file=tuple(files))
    except ValidationError as error:
        lines = []
        for item in error.errors():
            name = str(item["loc"][0]) if item["loc"] else "?"
            shown = variable(name) if name in Settings.model_fields else name
            lines.append(f"  - {shown}: {item['msg'].removeprefix('Value error, ')}")
        raise SettingsError("These settings cannot be read:\n" + "\n".join(lines)) from error


def development_secrets(data_dir: Path, names: list[str]) -> Path:
    """The file of development secrets, completed; processes that start together agree on it."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data_dir / "keys.env"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kept = {k: v for k, v in dotenv_values(path).items() if v}
        new = {variable(n): GENERATED[n]() for n in names if variable(n) not in kept}
        if new:
            file.seek(0, os.SEEK_END)
            if not kept:
                file.write("# Made for development. Data in this folder cannot be read without.\n")
            file.writelines(f"{key}={value}\n" for key, value in new.items())
            file.flush()
            os.fsync(file.fileno())
    return path


def problems(settings: Settings) -> list[str]:
    """What stands against running with these settings; empty in development."""
    if settings.env != "production":
        return []
    found = []
    for name in GENERATED:
        value: SecretStr = getattr(settings, name)
        if not value.get_secret_value():
            found.append(f"{variable(name)} is not set: {Settings.model_fields[name].description}.")
        elif len(value.get_secret_value()) < MIN_SECRET_LENGTH and name != "wechat_token":
            found.append(f"{variable(name)} is too short for a secret; make a random one.")
    for name in ("wechat_appid", "mini_appid", "aliyun_key_id"):
        if getattr(settings, name) == Settings.model_fields[name].default:
            found.append(f"{variable(name)} is the development value; set the account's own.")
    for name in ("public_url", "wechat_api", "aliyun_sms_endpoint"):
        address = urlsplit(getattr(settings, name))
        if address.scheme != "https":
            found.append(f"{variable(name)} must begin with https://.")
        if name != "public_url" and address.hostname in ("127.0.0.1", "localhost", "::1"):
            found.append(f"{variable(name)} names this machine: that is the sandbox.")
    for name, program in (("mongo_url", "MongoDB"), ("redis_url", "Redis")):
        if not getattr(settings, name).get_secret_value():
            found.append(
                f"{variable(name)} is not set: the embedded engine is for development. "
                f"Name a {program} server."
            )
    for name in ("now", "clock_offset_seconds", "crash_at"):
        if getattr(settings, name):
            found.append(f"{variable(name)} is for development; unset it.")
    return found


def environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, for child processes to agree on."""
    shown = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        text = value.get_secret_value() if is_secret(name) else "" if value is None else str(value)
        if text:
            shown[variable(name)] = text
    return shown
