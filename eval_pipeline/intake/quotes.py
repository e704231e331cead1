"""Quotes in CSV as people and programs write them, brought to what a strict reader takes.

A space between a delimiter and a quote is no text, as most programs read it. In a file of tabs quotes are mostly plain
text: corpora write them so, and a sentence may begin with one.
"""

import re

_QUOTED = r'"(?:[^"]|"")*"'


class Quotes:
    """Mends the quotes of one file, line by line.

    Args:
        delimiter: of the file.
    """

    def __init__(self, delimiter: str) -> None:
        escaped = re.escape(delimiter)
        self._delimiter = delimiter
        self._odd = re.compile(rf'(?:^|{escaped})[ ]+"|"[ ]+(?:{escaped}|[\r\n]*$)')
        self._quoted_cell = re.compile(rf"[ ]*({_QUOTED})[ ]*(?={escaped}|[\r\n]*$)")
        self._open_cell = re.compile(r'[ ]*(".*)', re.DOTALL)
        self.width: int | None = None
        """How many cells a record has; None until the header was read."""

    def mended(self, line: str, following: str | None, *, begins_record: bool) -> str:
        """Return the line with quotes that say what its writer meant; a line within a cell stays as it is."""
        if '"' not in line or not begins_record:
            return line
        if self._delimiter == "\t":
            return self._with_plain_quotes(line, following)
        return self._without_spaces(line) if self._odd.search(line) else line

    def _without_spaces(self, line: str) -> str:
        """Drop spaces between delimiters and quotes; stop where a cell goes on in the next line."""
        made, at = [], 0
        while at < len(line):
            quoted, opened = self._quoted_cell.match(line, at), self._open_cell.match(line, at)
            if quoted is not None:
                made.append(quoted[1])
                at = quoted.end()
            elif opened is not None:
                return "".join([*made, opened[1]])
            end = line.find(self._delimiter, at)
            end = len(line) if end < 0 else end + 1
            made.append(line[at:end])
            at = end
        return "".join(made)

    def _with_plain_quotes(self, line: str, following: str | None) -> str:
        """Quote the cells whose own quotes are text: those that begin with one which closes no cell of the line."""
        bare = line.rstrip("\r\n")
        cells, at = [], 0
        while at <= len(bare):
            quoted = self._quoted_cell.match(bare, at)
            end = quoted.end() if quoted else bare.find("\t", at)
            end = len(bare) if end < 0 else end
            cells.append((bare[at:end], quoted is not None))
            at = end + 1
        if not any(self._is_open(cell) for cell in cells) or self._goes_on(cells, following):
            return line
        plain = (_quoted(cell) if self._is_open((cell, closed)) else cell for cell, closed in cells)
        return "\t".join(plain) + line[len(bare) :]

    @staticmethod
    def _is_open(cell: tuple[str, bool]) -> bool:
        text, closed = cell
        return text.lstrip(" ").startswith('"') and not closed

    def _goes_on(self, cells: list[tuple[str, bool]], following: str | None) -> bool:
        """Tell whether the record goes on in the next line: this one has too few cells, or the next is none itself."""
        if self.width is None or len(cells) < self.width:
            return following is not None and self.width is not None
        last_is_open = self._is_open(cells[-1])
        return last_is_open and following is not None and following.count("\t") != self.width - 1


def _quoted(cell: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'
