"""Settings: read from the environment, then `.env`, then the development secrets, then defaults.

Every name below is `BIANMIN_` and the field in capitals. In development, secrets that are not
set are made once and kept in `<data_dir>/keys.env`; production takes none of them and refuses to
start until `problems` is empty.
"""

import base64
import binascii
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypedDict

from pydantic import AwareDatetime, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "BIANMIN_"
KEY_BYTES = 32


class GatewaySettings(TypedDict):
    """Addresses and keys of WeChat and the SMS gateway; pairs are id and secret."""

    wechat_api: str
    official: tuple[str, str]
    mini: tuple[str, str]
    sms_endpoint: str
    sms_key: tuple[str, str]
    sms_sign: str


class Settings(BaseSettings):
    """Everything that can be set from outside. An empty secret means: not set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    env: Literal["development", "production"] = Field(
        "development", description="production refuses default secrets, the sandbox and plain HTTP"
    )
    data_dir: Path = Field(Path("var"), description="Folder of embedded engines, keys and logs")
    host: str = Field("127.0.0.1", description="Address the service listens on")
    port: int = Field(8000, ge=1, le=65535, description="Port the service listens on")
    processes: int = Field(1, ge=1, le=64, description="Service processes sharing the port")
    public_url: str = Field("", description="Address citizens reach; default: host and port")
    sandbox_port: int = Field(8001, ge=1, le=65535, description="Port of the sandbox")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged"
    )

    mongo_url: SecretStr = Field(SecretStr(""), description="MongoDB; empty: embedded engine")
    redis_url: SecretStr = Field(SecretStr(""), description="Redis; empty: embedded engine")
    mongo_database: str = Field(
        "bianmin", pattern=r"^[A-Za-z0-9_-]{1,63}$", description="Name of the MongoDB database"
    )

    master_key: SecretStr = Field(
        SecretStr(""), description="Base64 of 32 bytes; wraps the keys personal data is sealed with"
    )
    index_key: SecretStr = Field(
        SecretStr(""), description="Base64 of 32 bytes; blind indexes of ID numbers and phones"
    )
    new_master_key: SecretStr = Field(
        SecretStr(""), description="The next master key, for `bianmin keys rotate --master` only"
    )
    new_index_key: SecretStr = Field(
        SecretStr(""), description="The next index key, for `bianmin keys reindex` only"
    )
    cookie_secret: SecretStr = Field(SecretStr(""), description="Signs the officers' cookies")
    exchange_key: SecretStr = Field(
        SecretStr(""), description="Signs calls and files of internal systems"
    )

    wechat_api: str = Field("https://api.weixin.qq.com", description="Base address of WeChat's API")
    wechat_appid: str = Field("wx00000000develop1", description="AppID of the official account")
    wechat_secret: SecretStr = Field(SecretStr(""), description="AppSecret of the official account")
    wechat_token: SecretStr = Field(SecretStr(""), description="Token WeChat signs its calls with")
    wechat_aes_key: SecretStr = Field(
        SecretStr(""), description="EncodingAESKey of the official account, 43 characters"
    )
    mini_appid: str = Field("wx00000000develop2", description="AppID of the mini-program")
    mini_secret: SecretStr = Field(SecretStr(""), description="AppSecret of the mini-program")

    aliyun_key_id: str = Field("development-key-id", description="Access key id of the SMS gateway")
    aliyun_key_secret: SecretStr = Field(SecretStr(""), description="Access key secret of the same")
    aliyun_sms_sign: str = Field("便民服务", description="Signature shown before each SMS")
    aliyun_sms_endpoint: str = Field(
        "https://dysmsapi.aliyuncs.com/", description="Address of the SMS gateway"
    )
    sms_callback_secret: SecretStr = Field(
        SecretStr(""), description="Secret part of the address SMS receipts come to"
    )

    now: AwareDatetime | None = Field(
        None, description="Date and time with zone the clock starts at; development only"
    )
    clock_offset_seconds: float = Field(
        0.0,
        validation_alias=f"{PREFIX}CLOCK_OFFSET",
        description="Seconds added to the real time; set by `bianmin run` from BIANMIN_NOW",
    )
    crash_at: str = Field(
        "", description="Name of the point at which this process kills itself; for tests only"
    )

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        """Children may run in another folder."""
        return folder.expanduser().absolute()

    @field_validator("master_key", "index_key", "new_master_key", "new_index_key")
    @classmethod
    def _key(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value():
            decode_key(key)
        return key

    @field_validator("wechat_aes_key")
    @classmethod
    def _aes_key(cls, key: SecretStr) -> SecretStr:
        if len(key.get_secret_value()) not in (0, 43):
            raise ValueError("must have 43 characters, as WeChat's console shows it")
        return key

    @field_validator("public_url", "wechat_api")
    @classmethod
    def _no_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @model_validator(mode="before")
    @classmethod
    def _public_url(cls, values: dict[str, object]) -> dict[str, object]:
        """Citizens reach the service where it listens, unless something stands before it."""
        if not values.get("public_url"):
            fields = cls.model_fields
            host = values.get("host", fields["host"].default)
            values["public_url"] = f"http://{host}:{values.get('port', fields['port'].default)}"
        return values

    @property
    def embedded(self) -> bool:
        """Whether at least one engine is an embedded one."""
        return not (self.mongo_url.get_secret_value() and self.redis_url.get_secret_value())

    def clock_offset(self) -> float:
        """Seconds to add to the real time; ask once, when the process starts.

        `bianmin run` turns BIANMIN_NOW into BIANMIN_CLOCK_OFFSET for all its children, which
        therefore agree on the time and keep agreeing after a restart.
        """
        if self.clock_offset_seconds or self.now is None:
            return self.clock_offset_seconds
        return (self.now - datetime.now(UTC)).total_seconds()

    def master_key_bytes(self) -> bytes:
        """The 32 bytes of the master key. Raises ValueError when it is not set."""
        return decode_key(self.master_key)

    def index_key_bytes(self) -> bytes:
        """The 32 bytes of the index key. Raises ValueError when it is not set."""
        return decode_key(self.index_key)

    def gateway_settings(self) -> GatewaySettings:
        """What `notify.gateways.build_gateways` takes by name."""
        return {
            "wechat_api": self.wechat_api,
            "official": (self.wechat_appid, self.wechat_secret.get_secret_value()),
            "mini": (self.mini_appid, self.mini_secret.get_secret_value()),
            "sms_endpoint": self.aliyun_sms_endpoint,
            "sms_key": (self.aliyun_key_id, self.aliyun_key_secret.get_secret_value()),
            "sms_sign": self.aliyun_sms_sign,
        }


def decode_key(key: SecretStr) -> bytes:
    """The 32 bytes of a base64 key. Raises ValueError when it is not one."""
    try:
        raw = base64.b64decode(key.get_secret_value(), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("must be base64") from error
    if len(raw) != KEY_BYTES:
        raise ValueError(f"must be base64 of {KEY_BYTES} bytes; it is of {len(raw)}")
    return raw


def is_secret(name: str) -> bool:
    """Whether a field's value must never be shown."""
    return Settings.model_fields[name].annotation is SecretStr


def variable(name: str) -> str:
    """The environment variable of a field."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"
