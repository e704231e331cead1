"""Why a cell of a golden or recorded row cannot be used; the row is then told with its line, and never guessed."""


class RowProblem(ValueError):  # noqa: N818 - not an error: it ends as the reason of a skipped row
    """What is wrong, as it completes "line 7: …"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
