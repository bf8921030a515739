"""SMS on people's phones, and what the gateway knows about each."""

from dataclasses import dataclass, field

from sandbox.journal import Entry


@dataclass(slots=True)
class Sms:
    """One message the gateway took. `state`: waiting, delivered or failed."""

    entry: Entry
    receipt_settled: bool = False

    def show(self) -> Entry:
        """The message as the phone shows it."""
        keys = ("at", "template", "text", "params", "out_id", "biz_id")
        return {key: self.entry[key] for key in keys}


@dataclass(slots=True)
class Inbox:
    """All SMS, by phone and by BizId."""

    by_phone: dict[str, list[Sms]] = field(default_factory=dict)
    by_biz_id: dict[str, Sms] = field(default_factory=dict)

    def apply(self, entry: Entry) -> None:
        """Take one journal entry into account."""
        if entry["kind"] == "sms":
            sms = Sms(entry)
            self.by_phone.setdefault(entry["phone"], []).append(sms)
            self.by_biz_id[entry["biz_id"]] = sms
        elif entry["kind"] == "receipt":
            self.by_biz_id[entry["biz_id"]].receipt_settled = True

    def delivered(self, phone: str) -> list[Sms]:
        """What the phone received: messages the network lost are not there."""
        return [sms for sms in self.by_phone.get(phone, []) if sms.entry["success"]]
