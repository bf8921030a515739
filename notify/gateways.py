"""All gateways of the service, built once by bianmin/app.py."""

from dataclasses import dataclass

from notify.http import HttpClient
from notify.sms import SmsGateway
from notify.tokens import TokenStore
from notify.wechat import WeChatClient


@dataclass(frozen=True)
class Gateways:
    """The official account, the mini-program and SMS, over one pool of connections."""

    official: WeChatClient
    mini: WeChatClient
    sms: SmsGateway
    http: HttpClient

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()


def build_gateways(
    *,
    wechat_api: str,
    official: tuple[str, str],
    mini: tuple[str, str],
    sms_endpoint: str,
    sms_key: tuple[str, str],
    sms_sign: str,
    tokens: TokenStore,
    http: HttpClient | None = None,
) -> Gateways:
    """Gateways from settings; ``official`` and ``mini`` are (appid, secret), ``sms_key`` is
    (key id, secret). Opens no connection yet."""
    client = http or HttpClient()
    return Gateways(
        official=WeChatClient(wechat_api, *official, tokens, client),
        mini=WeChatClient(wechat_api, *mini, tokens, client),
        sms=SmsGateway(sms_endpoint, *sms_key, sms_sign, client),
        http=client,
    )
