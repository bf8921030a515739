"""「隐私」: the notice of what is held and why, and the table a few rows at a time."""

from bot.scene import Move, NotAnAnswer, Question, Scene, end
from bot.wording import chosen, joined, numbered
from casework import privacy
from casework.privacy import PrivacyRow

_ROWS = 5


def begin(scene: Scene) -> Move:
    """The notice, then the table for who wants it."""
    notice = privacy.notice(scene.ctx)
    head = scene.say("privacy_head", version=notice.version, since=notice.since.isoformat())
    return Move("privacy.rows", {"row": 0}, joined(head, notice.text))


async def _ask_rows(scene: Scene) -> str:
    key = "choice_privacy_more" if scene.answers["row"] else "choice_privacy_rows"
    return numbered([scene.say(key), scene.say("choice_privacy_done")])


async def _take_rows(scene: Scene) -> Move:
    choice = chosen(scene.text, 2)
    if choice == 1:
        return end(scene.say("closed"))
    if choice is None:
        raise NotAnAnswer(scene.say("choose_number"))
    first = int(scene.answers["row"])
    rows = privacy.notice(scene.ctx).rows
    said = "\n\n".join(_worded(scene, row) for row in rows[first : first + _ROWS])
    if first + _ROWS >= len(rows):
        return end(said)
    return scene.stay(said, row=first + _ROWS)


def _worded(scene: Scene, row: PrivacyRow) -> str:
    return scene.say(
        "privacy_row",
        label=row.label,
        purpose=row.purpose,
        basis="、".join(row.basis_short),
        recipients=row.recipients,
        kept=row.kept,
    )


QUESTIONS = (Question("privacy.rows", _ask_rows, _take_rows),)
