"""Settings of the sandbox, read from the environment under the names the service uses."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_TEMPLATES = Path(__file__).with_name("templates.toml")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the sandbox needs to know. The defaults are development secrets: they open nothing
    real.
    """

    service: str = "http://127.0.0.1:8000"
    port: int = 8001
    wechat_appid: str = "wx00000000develop1"
    wechat_secret: str = "development-official-secret"
    wechat_token: str = "development-token"
    wechat_aes_key: str = "developmentdevelopmentdevelopmentdevelopmen"
    wechat_account: str = "gh_develop0000a"
    mini_appid: str = "wx00000000develop2"
    mini_secret: str = "development-mini-secret"
    aliyun_key_id: str = "development-key-id"
    aliyun_key_secret: str = "development-key-secret"
    sms_sign: str = "便民服务"
    sms_callback_secret: str = "development-callback-secret"
    unionid: bool = False
    """Whether both apps are bound to one open-platform account, so that jscode2session tells a
    unionid.
    """
    encrypted: bool = True
    """Whether pushes are encrypted (安全模式) unless a single push says otherwise."""
    push_seconds: float = 5.0
    push_pause_seconds: float = 1.0
    """Pause before the next try after a refused or broken connection; a time-out is tried again at
    once.
    """
    receipt_seconds: float = 1.0
    receipt_repeat_seconds: tuple[float, ...] = (60.0, 300.0, 600.0)
    clock_offset: float = 0.0
    """Seconds added to the real time, the same as in the service's processes."""
    journal: Path | None = None
    seed_file: Path | None = None
    templates: Path = DEFAULT_TEMPLATES

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Settings from environment variables; what is not set keeps its development default."""
        names = {
            "wechat_appid": "BIANMIN_WECHAT_APPID",
            "wechat_secret": "BIANMIN_WECHAT_SECRET",
            "wechat_token": "BIANMIN_WECHAT_TOKEN",
            "wechat_aes_key": "BIANMIN_WECHAT_AES_KEY",
            "mini_appid": "BIANMIN_MINI_APPID",
            "mini_secret": "BIANMIN_MINI_SECRET",
            "aliyun_key_id": "BIANMIN_ALIYUN_KEY_ID",
            "aliyun_key_secret": "BIANMIN_ALIYUN_KEY_SECRET",
            "sms_sign": "BIANMIN_ALIYUN_SMS_SIGN",
            "sms_callback_secret": "BIANMIN_SMS_CALLBACK_SECRET",
        }
        texts: dict[str, Any] = {field: env[name] for field, name in names.items() if env.get(name)}
        return cls(
            **texts,
            port=int(env.get("BIANMIN_SANDBOX_PORT") or 8001),
            unionid=env.get("BIANMIN_SANDBOX_UNIONID", "") in {"1", "true", "yes"},
            clock_offset=float(env.get("BIANMIN_CLOCK_OFFSET") or 0.0),
            receipt_seconds=float(env.get("BIANMIN_SANDBOX_RECEIPT_SECONDS") or 1.0),
        )
