"""What each screen does."""

from handlers.desk.base import DeskHandler


class HelpHandler(DeskHandler):
    """The help page: one chapter a screen, its lines in the texts' order."""

    needs = "desk"

    def get(self) -> None:
        """Show it."""
        texts = self.ctx.book.texts
        chapters = [
            (title, list(texts.under(f"desk.help.{key}").values()))
            for key, title in texts.under("desk.help.chapters").items()
        ]
        self.render("help.html", chapters=chapters)
