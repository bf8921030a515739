"""Which channels, in which order."""

from notify.order import Channel, Reach, channels


def test_wechat_comes_first_where_there_is_consent() -> None:
    reach = Reach(mini_openid="o", consents=1, phone="13800000001")
    assert channels(reach) == (Channel.SUBSCRIBE, Channel.SMS)
    assert channels(reach, closed=["subscribe"]) == (Channel.SMS,)
    assert channels(reach, closed=["subscribe", "sms"]) == ()


def test_without_consent_or_binding_it_is_sms() -> None:
    assert channels(Reach("o", 0, "13800000001")) == (Channel.SMS,)
    assert channels(Reach(None, 3, "13800000001")) == (Channel.SMS,)
    assert channels(Reach(None, 0, None)) == ()
