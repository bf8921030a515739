"""The sandbox's own cryptography against vectors published by platforms and used by SDKs."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from aliyunsdkcore.auth.composer.rpc_signature_composer import get_signed_url

from sandbox.crypto import CryptoError, MessageCrypto, signature, signature_matches
from sandbox.sms_signing import matches

VECTORS: dict[str, Any] = orjson.loads(
    (Path(__file__).parent.parent / "data" / "wechat-vectors.json").read_bytes()
)
SIGNED = [name for name, vector in VECTORS.items() if "msg_signature" in vector]
DECRYPTED = [name for name, vector in VECTORS.items() if "cipher" in vector]


def crypto(vector: dict[str, Any]) -> MessageCrypto:
    return MessageCrypto(vector["key"], vector["appid"])


def test_plain_signature() -> None:
    vector = VECTORS["GET_plain"]
    parts = (vector["token"], vector["timestamp"], vector["nonce"])
    assert signature(*parts) == vector["signature"]
    assert signature_matches(vector["signature"], *parts)
    assert not signature_matches(vector["signature"], "other", *parts[1:])


@pytest.mark.parametrize("name", SIGNED)
def test_message_signature(name: str) -> None:
    vector = VECTORS[name]
    parts = (vector["token"], vector["timestamp"], vector["nonce"], vector["cipher"])
    assert signature(*parts) == vector["msg_signature"]


@pytest.mark.parametrize("name", DECRYPTED)
def test_decryption(name: str) -> None:
    vector = VECTORS[name]
    plain = crypto(vector).decrypt(vector["cipher"]).decode()
    if "plain" in vector:
        assert plain == vector["plain"]
    else:
        assert vector["plain_contains"] in plain


@pytest.mark.parametrize("name", [n for n in DECRYPTED if "random" in VECTORS[n]])
def test_encryption_repeats_the_vector(name: str) -> None:
    vector = VECTORS[name]
    random = vector["random"].encode()
    assert crypto(vector).encrypt(vector["plain"].encode(), random) == vector["cipher"]


def test_there_and_back_at_every_length_of_padding() -> None:
    both = MessageCrypto("a" * 43, "wx1234567890abcdef")
    for length in range(70):
        message = ("民" * length).encode()
        assert both.decrypt(both.encrypt(message)) == message


def test_another_apps_message_is_refused() -> None:
    text = MessageCrypto("a" * 43, "wx-one").encrypt(b"hello")
    with pytest.raises(CryptoError, match="appid"):
        MessageCrypto("a" * 43, "wx-two").decrypt(text)


@pytest.mark.parametrize("broken", ["", "!!!", "AAAA", "QUJD" * 16])
def test_broken_ciphertext_is_refused(broken: str) -> None:
    with pytest.raises(CryptoError):
        MessageCrypto("b" * 43, "wx-one").decrypt(broken)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_sms_signature_agrees_with_alibabas_sdk(method: str) -> None:
    body = {"TemplateParam": '{"a":"中 文*~+&=/"}'} if method == "POST" else {}
    query = {"Action": "SendSms", "SignName": "便民 *+~/%"}
    url, _ = get_signed_url(query, "key", "secret", "JSON", method, body)
    parameters = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)) | body
    assert matches(method, parameters, "secret")
    assert not matches(method, parameters, "other")
    assert not matches(method, parameters | {"SignName": "冒名"}, "secret")
