"""Which channels, in which order."""

from notify.order import Channel, Reach, channels


def test_wechat_comes_first_where_there_is_consent() -> None:
    reach = Reach(mini_openid=True, consents=1, phone=True)
    assert channels(reach) == (Channel.SUBSCRIBE, Channel.SMS)
    assert channels(reach, closed=["subscribe"]) == (Channel.SMS,)
    assert channels(reach, closed=["subscribe", "sms"]) == ()


def test_without_consent_or_binding_it_is_sms() -> None:
    assert channels(Reach(True, 0, True)) == (Channel.SMS,)
    assert channels(Reach(False, 3, True)) == (Channel.SMS,)
    assert channels(Reach(False, 0, False)) == ()
