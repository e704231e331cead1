"""What the stand-ins hear in a clip: its recorded reference with planted errors, else words made of its hash.

Recordings are JSON lines ``{"sha256": …, "reference": …, "language": …, "duration_s": …}``; the last two may be
absent. A reference that is null or absent is unknown, an empty one is silence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.audio import Clip
from eval_pipeline.standins.control import as_json, refusal
from eval_pipeline.standins.replay import RecordingError
from eval_pipeline.standins.speech_errors import ErrorRates, Planted, plant

ANY_MODEL = "*"
_SHA256_CHARACTERS = 64
_MADE_UP = "this is made up of the clip alone"


class ErrorRatesError(ValueError):
    """Error rates that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenClip:
    """One recorded clip."""

    sha256: str
    reference: str | None = None
    language: str | None = None
    duration_s: float | None = None


@dataclass(slots=True)
class Speech:
    """Everything that a stand-in can hear, and how well each model hears it.

    Args:
        clips: The recorded clips by sha256.
        rates: How often each model errs; ``*`` stands for every other model.
    """

    clips: Mapping[str, SpokenClip] = field(default_factory=dict)
    rates: dict[str, ErrorRates] = field(default_factory=dict)

    def hear(self, model: str, clip: Clip) -> str:
        """Return what a model hears in a clip; the same at every call."""
        planted = self.planted(model, clip.sha256)
        return f"{_MADE_UP} {clip.sha256[:12]}" if planted is None else planted.transcript

    def planted(self, model: str, sha256: str) -> Planted | None:
        """Return what is planted for a model into a clip, or None if its reference is unknown."""
        recorded = self.clips.get(sha256)
        if recorded is None or recorded.reference is None:
            return None
        rates = self.rates.get(model) or self.rates.get(ANY_MODEL) or ErrorRates()
        return plant(recorded.reference, clip=sha256, model=model, rates=rates)

    def seconds(self, clip: Clip) -> float:
        """Return how long a clip lasts."""
        recorded = self.clips.get(clip.sha256)
        return clip.seconds if recorded is None or recorded.duration_s is None else recorded.duration_s

    def language(self, clip: Clip) -> str:
        """Return the language of a clip, English if it is unknown."""
        recorded = self.clips.get(clip.sha256)
        return (recorded.language if recorded else None) or "en"


class SpeechControls:
    """The control URLs of what is heard: ``transcripts`` GET (``?model=…``, repeatable), ``error_rates`` GET, POST."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def routes(self) -> list[Route]:
        """Return the routes to add to the application."""
        return [
            Route("/__standin__/transcripts", self.transcripts, methods=["GET"]),
            Route("/__standin__/error_rates", self.rates, methods=["GET", "POST"]),
        ]

    async def transcripts(self, request: Request) -> Response:
        """Tell what each model named hears in each recorded clip, and the errors planted there."""
        models = request.query_params.getlist("model")
        told = [entry for model in models for entry in self._told(model)]
        return as_json(told)

    def _told(self, model: str) -> Iterator[dict[str, object]]:
        for clip in self._speech.clips.values():
            planted = self._speech.planted(model, clip.sha256)
            if planted is not None:
                yield {"model": model, "sha256": clip.sha256, "reference": clip.reference, **asdict(planted)}

    async def rates(self, request: Request) -> Response:
        """Tell or replace how often each model errs."""
        if request.method == "POST":
            try:
                self._speech.rates = read_rates(orjson.loads(await request.body()))
            except ValueError as error:
                return refusal(error)
        return as_json({model: asdict(rates) for model, rates in self._speech.rates.items()})


def read_speech(path: Path) -> dict[str, SpokenClip]:
    """Read a file of recorded clips."""
    with path.open("rb") as lines:
        clips = [_read_clip(path, number, line) for number, line in enumerate(lines, start=1)]
    return {clip.sha256: clip for clip in clips}


def _read_clip(path: Path, number: int, line: bytes) -> SpokenClip:
    try:
        clip = SpokenClip(**orjson.loads(line))
        if len(clip.sha256) != _SHA256_CHARACTERS or not isinstance(clip.reference, str | None):
            raise ValueError("sha256 must be 64 hexadecimal digits, and reference a text or null")  # noqa: TRY301
    except (ValueError, TypeError) as error:
        reason = f"{path}, line {number} is no recorded clip: {error}."
        raise RecordingError(f'{reason} Expected {{"sha256": …, "reference": …, "language": …}}.') from error
    return clip


def read_rates(document: object) -> dict[str, ErrorRates]:
    """Read rates by model, such as ``{"*": {"substitutions": 0.1}}``, or refuse them with the reason."""
    if not isinstance(document, dict):
        raise ErrorRatesError(f"Error rates must be a JSON object by model, not {document!r}.")
    return {model: _read_model_rates(model, given) for model, given in document.items()}


def _read_model_rates(model: str, given: object) -> ErrorRates:
    known = list(asdict(ErrorRates()))
    if not isinstance(given, dict) or not given.keys() <= set(known):
        raise ErrorRatesError(f"Error rates of {model!r} cannot be {given!r}. Known: {known}.")
    for name, value in given.items():
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise ErrorRatesError(f"Error rates of {model!r}: {name} must be from 0 to 1, not {value!r}.")
    return ErrorRates(**given)
