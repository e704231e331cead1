# ruff: noqa: RUF001 - signs of many scripts
"""Which of an answer's quantities count: those behind its last marker, without asides, sources and numbering."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from eval_pipeline.text_eval.scoring.quantities.cursor import Tokens
from eval_pipeline.text_eval.scoring.quantities.folding import fold_word
from eval_pipeline.text_eval.scoring.quantities.kinds import Amount, Found
from eval_pipeline.text_eval.scoring.quantities.plain import BOX, CLOSE, OPEN, plain
from eval_pipeline.text_eval.scoring.quantities.reading import read_quantities
from eval_pipeline.text_eval.scoring.quantities.signposts import (
    ABOUT_WORDS,
    ANSWER_KEYS,
    ANSWER_WORDS,
    AVAILABLE_HOURS,
    BEHIND_ANSWER_WORDS,
    CONFIDENCE_LINES,
    FINAL_WORDS,
    SENTENCE_MARKERS,
    SOURCE_LINES,
    WORDS_OF_SENTENCE_MARKERS,
)
from eval_pipeline.text_eval.scoring.quantities.tokens import Token, tokenise
from eval_pipeline.text_eval.scoring.quantities.when import with_times
from eval_pipeline.text_eval.scoring.quantities.words_alone import read_words_alone
from eval_pipeline.text_eval.scoring.quantities.written_out import ordinals_only, words_only

MAX_MARKERS = 16
"""More are a model caught in a loop; each costs a look at the rest of its line."""
MAX_CHARACTERS = 20_000
"""What an answer says stands at its end; a longer one is a model in a loop, and is read from here on."""
_MARKER = re.compile(
    rf"""^[ \t>*_\#-]*
        (?:A|(?i:(?:(?:{FINAL_WORDS})\s+){{0,2}}(?:{ANSWER_WORDS})))
        (?:[ ](?i:{BEHIND_ANSWER_WORDS}))?(?:[ ]?\((?:final|अंतिम)\))?[*_]*(?:\s?[:=]|[ ][-–—](?=[ ]))[\s*_]*
      | (?i:\b(?:(?:final|correct)\s+)?answer\s+is\s*:?[\s*_]*)
      | (?i:^[ \t>*_]*ans\.[ ])
      | \#\#\#\#
      | {BOX}(?={OPEN})""",
    re.VERBOSE | re.MULTILINE,
)
_SENTENCE_MARKER = re.compile(rf"(?:{SENTENCE_MARKERS})[\s*_:]*(?=[-+$€£¥₹(]?\d)", re.IGNORECASE)
_NUMBERED = re.compile(r"^[ \t]*(?:[-*•>][ \t]*)?(?:#{1,6}[ \t]*)?\(?(\d{1,3})[.)][ \t]+(?=\S)", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]*[-*•–][ \t]+(?=\S)", re.MULTILINE)
_SOURCES = re.compile(
    rf"^[ \t>*_#(-]*(?:{SOURCE_LINES}|{CONFIDENCE_LINES})[*_]*[ \t]*[::][^\n]*$", re.MULTILINE | re.IGNORECASE
)
_SOURCES_TO_THE_END = re.compile(
    rf"^[ \t>*_#-]*(?:{SOURCE_LINES})[*_]*[ \t]*:?[*_]*[ \t]*\n.*\Z", re.MULTILINE | re.IGNORECASE | re.DOTALL
)
"""A heading, and all that follows it."""
_COURTESY = re.compile(
    r"(?:(?<=[.!?।\n])|\A)[ \t]*"
    r"(?:(?:I )?hope (?:this|that|it) helps|(?:please )?(?:let me know|feel free)|don't hesitate)"
    r"[^\n]*\s*\Z",
    re.IGNORECASE,
)
"""What an answer ends with out of politeness."""
_FENCE = re.compile(r"\A\s*```[a-z]*\n(.*)\n\s*```\s*\Z", re.DOTALL | re.IGNORECASE)
_TAGGED = re.compile(r"[<\[]((?:final[_ ])?answer)[>\]]([^<>\[\]]{1,2000})[<\[]/\1[>\]]", re.IGNORECASE)
"""<answer>42</answer>, as prompts ask for it."""
_IN_BRACKETS = re.compile(r"\s*\(\s*(?:[^\w\s()]{0,2}|Rs\.?|[A-Z]{3})\s*[\d.,]+\s*\)[.\s]*")
_NEAR = 24
_DENIED_BEFORE = re.compile(r"\b(?:not|nicht|pas|instead of|rather than|si)\s(?:the\s|an?\s)?$", re.IGNORECASE)
_DENIED_BEHIND = re.compile(r"\s(?:नहीं|नही|নয়|না|ਨਹੀਂ|નહીં|இல்லை|కాదు|ಅಲ್ಲ|അല്ല|نہیں)(?![\w])")
_SENTENCE_END = ".!?।॥؟\n"
_CLOSING = {")": "(", "]": "[", "）": "（"}


@dataclass(frozen=True, slots=True)
class Passage:
    """The quantities of a text, and the place of those that count."""

    found: tuple[Found, ...]
    marked: Literal["first", "line", "none"] = "none"
    """Behind a marker directly, on the line of a marker, or without one."""
    line_end: int = 0
    """How many of them are on the marker's line."""
    negative_brackets: bool = False
    """The whole text is a number in round brackets, as accountants write what is owed."""

    text: str = ""
    """What was read, if it has no marker."""

    @property
    def in_words(self) -> tuple[Found, ...]:
        """Numbers that are written out beside the digits: "three doses: at 6, 10 and 14 weeks"."""
        if len(self.text) > MAX_CHARACTERS:
            return ()
        tokens = Tokens(tokenise(self.text), self.text)
        return (*words_only(tokens), *ordinals_only(tokens))

    @property
    def shown(self) -> tuple[Found, ...]:
        """The quantities without asides; all where there is nothing else."""
        return tuple(found for found in self.found if not found.aside) or self.found


def read_passage(text: str, *, decimal_comma: bool = False) -> Passage:
    """Find the part of a text that gives its result, and read it."""
    shown = plain(_end(_tagged_answer(_json_answer(text))), decimal_comma=decimal_comma)
    shown = _SOURCES.sub("", _SOURCES_TO_THE_END.sub("", shown))
    shown = _COURTESY.sub("", shown)
    for passage in _marked(shown):
        if passage.found:
            return passage
    found = _quantities(shown)
    if not found:
        found = read_words_alone(_without_numbering(shown)[0])
    return Passage(found, negative_brackets=_IN_BRACKETS.fullmatch(shown) is not None, text=shown)


def _end(text: str) -> str:
    """Return the end of a long text, from a white space on, so that no number is cut."""
    if len(text) <= MAX_CHARACTERS:
        return text
    end = text[-MAX_CHARACTERS:]
    space = re.search(r"\s", end)
    return end[space.start() :] if space else end


def _json_answer(text: str) -> str:
    """Return the answer that a JSON object names, else the text."""
    stripped = text.strip()
    fenced = _FENCE.fullmatch(stripped)
    inside = fenced[1].strip() if fenced else stripped
    if not (inside.startswith("{") and inside.endswith("}")) or len(inside) > MAX_CHARACTERS:
        return text
    try:
        document = json.loads(inside, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return text
    answer = _named_answer(document)
    return text if answer is None else answer


def _tagged_answer(text: str) -> str:
    """Return what stands between the last tags of an answer, else the text."""
    tagged = _TAGGED.findall(text) if "answer" in text[-MAX_CHARACTERS:].lower() else []
    return str(tagged[-1][1]) if tagged else text


def _named_answer(document: Any) -> str | None:  # noqa: ANN401 - JSON
    if not isinstance(document, dict):
        return None
    by_name = {str(name).strip().casefold().replace(" ", "_"): value for name, value in document.items()}
    for key in ANSWER_KEYS:
        value = by_name.get(key.replace(" ", "_"))
        if isinstance(value, str):
            return value
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return ", ".join(value)
    return None


def _marked(text: str) -> Iterator[Passage]:
    """Return what stands behind the last markers, the last first."""
    markers = list(_MARKER.finditer(text))
    if any(word in text.lower() for word in WORDS_OF_SENTENCE_MARKERS):
        markers = sorted((*markers, *_SENTENCE_MARKER.finditer(text)), key=lambda marker: marker.start())
    markers = markers[-MAX_MARKERS:]
    for at in range(len(markers) - 1, -1, -1):
        marker = markers[at]
        next_begin = markers[at + 1].start() if at + 1 < len(markers) else len(text)
        yield _behind(text, marker, end=next_begin)


def _behind(text: str, marker: re.Match[str], *, end: int) -> Passage:
    if marker[0] == BOX:
        inside = text[marker.end() : min(_box_end(text, marker.end()), end if end > marker.end() else len(text))]
        return _line_of(inside, line_length=len(inside))
    rest = text[marker.end() : end]
    line = rest.partition("\n")[0]
    if marker[0] == "####":
        first = _line_of(line, line_length=len(line))
        numbered = re.match(r"\s*\d{1,3}[.):]\s*\w", line) is not None  # a Markdown heading: #### 2. Add them up
        return first if first.marked == "first" and not numbered else Passage(())
    return _line_of(rest, line_length=len(line))


def _line_of(text: str, *, line_length: int) -> Passage:
    """Return the passage of a marked text, whose first line is the marker's."""
    found = _quantities(text)
    if not found:
        return Passage(read_words_alone(text[:line_length]), marked="line", line_end=1)
    equals = text.rfind("=", 0, line_length)
    kept = tuple(quantity for quantity in found if quantity.begin > equals) if equals >= 0 else found
    if not kept:
        return Passage(())
    on_line = [quantity for quantity in kept if quantity.begin < line_length and not quantity.aside]
    if not on_line:
        return Passage(())
    first = on_line[0]
    before = text[max(equals + 1, 0) : first.begin]
    adjacent = all(fold_word(word) in ABOUT_WORDS for word in re.findall(r"[^\W\d_]+", before)) and not re.search(
        r"\d", before
    )
    return Passage(kept, marked="first" if adjacent else "line", line_end=sum(q.begin < line_length for q in kept))


def _box_end(text: str, begin: int) -> int:
    """Return the place of the brace that closes the box; the end of its line if none does."""
    line_end = text.find("\n", begin)
    depth = 0
    for match in re.finditer(f"[{OPEN}{CLOSE}]", text[begin : line_end if line_end >= 0 else len(text)]):
        depth += 1 if match[0] == OPEN else -1
        if depth == 0:
            return begin + match.start()
    return line_end if line_end >= 0 else len(text)


def _quantities(text: str) -> tuple[Found, ...]:
    """Read all quantities, and mark the asides among them."""
    if not re.search(r"\d|[√\ue002]", text) and not _may_be_scaled(text):
        return ()
    bare, items = _without_numbering(text)
    tokens = tokenise(bare)
    spans = _bracket_spans(tokens)
    found = [_as_aside(quantity, spans) for quantity in read_quantities(tokens, bare)]
    found = _idioms_aside(found, bare)
    found = _listed_aside(with_times(found, bare), bare, items)
    return tuple(_question_aside(found, bare))


def _may_be_scaled(text: str) -> bool:
    return any(word.isalpha() for word in text.split()[:1]) or not text.isascii() or " " in text


def _without_numbering(text: str) -> tuple[str, list[int]]:
    """Blank the numbers of lists out, and return where their items begin: 1., 2., 3. in order, and bullets."""
    items: list[int] = []
    pieces: list[str] = []
    begin, last = 0, 0
    for match in _NUMBERED.finditer(text):
        number = int(match[1])
        if number not in {1, last + 1} and "#" not in match[0]:
            continue
        last = number
        pieces += [text[begin : match.start()], " " * (match.end() - match.start())]
        items.append(match.end())
        begin = match.end()
    bullets = [match.end() for match in _BULLET.finditer(text)]
    return "".join([*pieces, text[begin:]]), items or bullets


def is_in_brackets(text: str) -> bool:
    """Tell whether a text is a number in round brackets and nothing else."""
    return _IN_BRACKETS.fullmatch(plain(text)) is not None


def _bracket_spans(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Return the outermost pairs of brackets, as places in the text; those without a partner are none."""
    waiting: list[tuple[str, int]] = []
    spans: list[tuple[int, int]] = []
    for token in tokens:
        if token.kind != "sign":
            continue
        if token.text in _CLOSING.values():
            waiting.append((token.text, token.begin))
        elif token.text in _CLOSING and waiting and waiting[-1][0] == _CLOSING[token.text]:
            _, begin = waiting.pop()
            while spans and spans[-1][0] > begin:
                spans.pop()
            spans.append((begin, token.end))
    return spans


def _as_aside(found: Found, spans: Sequence[tuple[int, int]]) -> Found:
    if found.aside or not spans:
        return found
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        if spans[middle][1] <= found.begin:
            low = middle + 1
        else:
            high = middle
    inside = low < len(spans) and spans[low][0] <= found.begin
    return replace(found, aside=True) if inside else found


def _idioms_aside(found: list[Found], text: str) -> list[Found]:
    """Pass over opening hours that never close (24x7, 24/7, 24 hours), and what is said not to be: 5, not 3."""
    return [
        replace(quantity, aside=True) if _is_always_open(quantity, text) or _is_denied(quantity, text) else quantity
        for quantity in found
    ]


def _is_denied(found: Found, text: str) -> bool:
    before, after = text[max(0, found.begin - _NEAR) : found.begin], text[found.end : found.end + _NEAR]
    return _DENIED_BEFORE.search(before) is not None or _DENIED_BEHIND.match(after) is not None


def _is_always_open(found: Found, text: str) -> bool:
    if re.fullmatch(r"24\s?[x×*/]\s?7", found.text):
        return True
    amount = found.quantity
    if not isinstance(amount, Amount) or amount.unit is None or amount.unit.dimension != "clock":
        return False
    if not amount.value.rational or amount.value.factor not in AVAILABLE_HOURS:
        return False
    before = text[max(0, found.begin - 40) : found.begin].casefold()
    return (
        re.search(r"(?:open|available|availab\w*|call|free|works?|operates?|hours?,?|उपलब्ध|खुला)\W*(?:for\W+)?$", before)
        is not None
    )


def _listed_aside(found: list[Found], text: str, items: Sequence[int]) -> list[Found]:
    """Pass over a list that spells out a number before it: "3 doses:" and three items."""
    if len(items) < 2:  # noqa: PLR2004 - one is no list
        return found
    before = [quantity for quantity in found if quantity.begin < items[0] and not quantity.aside]
    if not before or not isinstance(before[-1].quantity, Amount):
        return found
    value = before[-1].quantity.value
    if not value.rational or value.factor != len(items):
        return found
    end = text.find("\n", items[-1])
    last = len(text) if end < 0 else end
    return [replace(q, aside=True) if items[0] <= q.begin < last else q for q in found]


def _question_aside(found: list[Found], text: str) -> list[Found]:
    """Pass over what an answer asks at its end: "Would you like 3 more?"."""
    stripped = text.rstrip()
    if not stripped.endswith(("?", "؟")) or not found:
        return found
    begin = max(stripped.rfind(mark, 0, len(stripped) - 1) for mark in _SENTENCE_END)
    return [replace(quantity, aside=True) if quantity.begin > begin else quantity for quantity in found]
