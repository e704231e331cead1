"""``generateContent``: what a valid request is, and what it costs to read.

Text costs a token for four bytes, a clip a fixed number a second; system instructions of 1,024 tokens and more
count as cached, down to whole 128s.
"""

from dataclasses import dataclass
from typing import Any

from eval_pipeline.standins.audio import Clip, audio_tokens
from eval_pipeline.standins.documents import Json
from eval_pipeline.standins.gemini.bodies import refuse_unknown, require_list, require_object, require_text
from eval_pipeline.standins.gemini.errors import invalid
from eval_pipeline.standins.gemini.media import UploadedClips, read_media
from eval_pipeline.standins.judge_asks import JudgeAsk, read_judge_ask
from eval_pipeline.standins.speech import Speech
from eval_pipeline.standins.tokens import count_all, count_tokens

CACHE_FROM_TOKENS = 1024
CACHE_STEP_TOKENS = 128
_FIELDS = frozenset(
    {
        "cachedContent",
        "contents",
        "generationConfig",
        "labels",
        "model",
        "safetySettings",
        "serviceTier",
        "store",
        "systemInstruction",
        "toolConfig",
        "tools",
    }
)
_PART_FIELDS = frozenset(
    {"text", "inlineData", "fileData", "thought", "thoughtSignature", "videoMetadata", "mediaResolution"}
)
_CONFIG_FIELDS = frozenset(
    {
        "audioTimestamp",
        "candidateCount",
        "enableEnhancedCivicAnswers",
        "frequencyPenalty",
        "logprobs",
        "maxOutputTokens",
        "mediaResolution",
        "presencePenalty",
        "responseFormat",
        "responseJsonSchema",
        "responseLogprobs",
        "responseMimeType",
        "responseModalities",
        "responseSchema",
        "seed",
        "speechConfig",
        "stopSequences",
        "temperature",
        "thinkingConfig",
        "topK",
        "topP",
    }
)
_RANGES = {"temperature": (0.0, 2.0), "topP": (0.0, 1.0)}
_ROLES = (None, "user", "model", "function")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A valid request; ``question`` is the last text that the user says in it."""

    model: str
    question: str
    clips: tuple[Clip, ...]
    config: Json
    searches_files: bool
    text_tokens: int
    audio_tokens: int
    cached_tokens: int
    judged: JudgeAsk | None = None
    """What it asks, if it is one to judge."""

    @property
    def name(self) -> str:
        """What it is counted as: its clip, else its question."""
        if self.judged is not None:
            return self.judged.name
        return self.clips[0].sha256 if self.clips else self.question

    @property
    def prompt_tokens(self) -> int:
        """What it costs to read."""
        return self.text_tokens + self.audio_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReader:
    """Reads requests; needs to know uploaded files and how long clips last."""

    uploads: UploadedClips
    speech: Speech
    tokens_per_second: int

    def read(self, model: str, body: Json) -> Ask:
        """Read the body of a request in camelCase, or refuse it as the real API does."""
        refuse_unknown(body, known=_FIELDS, place="")
        config = read_config(body.get("generationConfig"))
        contents = require_list(body.get("contents", []), "contents")
        if not contents:
            raise invalid("* GenerateContentRequest.contents: contents is not specified")
        said: list[tuple[str, str]] = []
        clips: list[Clip] = []
        for number, content in enumerate(contents):
            self._read_content(content, f"contents[{number}]", said=said, clips=clips)
        instructions = self._instructions(body.get("systemInstruction"))
        cached = instructions // CACHE_STEP_TOKENS * CACHE_STEP_TOKENS
        return Ask(
            model=model,
            question=next((text for role, text in reversed(said) if role == "user"), ""),
            clips=tuple(clips),
            config=config,
            searches_files=_searches_files(body.get("tools")),
            text_tokens=instructions + count_all(text for _, text in said),
            audio_tokens=sum(self._audio_tokens(clip) for clip in clips),
            cached_tokens=cached if instructions >= CACHE_FROM_TOKENS else 0,
            judged=read_judge_ask(said, model=model, schema=schema_of(config)),
        )

    def _audio_tokens(self, clip: Clip) -> int:
        return audio_tokens(self.speech.seconds(clip), per_second=self.tokens_per_second)

    def _read_content(self, given: object, place: str, *, said: list[tuple[str, str]], clips: list[Clip]) -> None:
        content = require_object(given, place)
        refuse_unknown(content, known=frozenset({"role", "parts"}), place=place)
        if content.get("role") not in _ROLES:
            raise invalid("Please use a valid role: user, model.")
        parts = require_list(content.get("parts", []), f"{place}.parts")
        if not parts:
            raise invalid(f"* GenerateContentRequest.{place}.parts: contents.parts must not be empty.")
        for number, given_part in enumerate(parts):
            part_place = f"{place}.parts[{number}]"
            part = require_object(given_part, part_place)
            refuse_unknown(part, known=_PART_FIELDS, place=part_place)
            if "text" in part:
                said.append((content.get("role") or "user", require_text(part["text"], f"{part_place}.text")))
            elif "inlineData" in part or "fileData" in part:
                clips.append(read_media(part, part_place, uploads=self.uploads))
            else:
                raise invalid(f"* GenerateContentRequest.{part_place}.data: required oneof field 'data' must be set")

    def _instructions(self, given: object) -> int:
        if given is None:
            return 0
        said: list[tuple[str, str]] = []
        self._read_content(given, "system_instruction", said=said, clips=[])
        return sum(count_tokens(text) for _, text in said)


def _searches_files(tools: object) -> bool:
    return any("fileSearch" in require_object(tool, "tools") for tool in require_list(tools or [], "tools"))


def schema_of(config: Json) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON schema that an answer is to follow, in whichever form it was sent; None without one."""
    return config.get("responseJsonSchema") or _lower_types(config.get("responseSchema"))


def _lower_types(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a schema of Google's kind, whose types are in capitals, as a JSON schema."""
    if isinstance(schema, list):
        return [_lower_types(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: value.lower() if name == "type" and isinstance(value, str) else _lower_types(value)
        for name, value in schema.items()
    }


def read_config(given: object) -> Json:
    """Read the ``generationConfig`` of a request, or refuse it."""
    config = require_object({} if given is None else given, "generation_config")
    refuse_unknown(config, known=_CONFIG_FIELDS, place="generation_config")
    for name, (low, high) in _RANGES.items():
        value = config.get(name)
        if value is not None and (type(value) not in (int, float) or not low <= value <= high):
            raise invalid(f"* GenerateContentRequest.generation_config.{name}: must be in the range [{low}, {high}].")
    most = config.get("maxOutputTokens")
    if most is not None and (type(most) is not int or most < 1):
        raise invalid("* GenerateContentRequest.generation_config.max_output_tokens: must be positive.")
    if config.get("candidateCount", 1) != 1:
        raise invalid("Multiple candidates is not enabled for this model")
    if "responseSchema" in config and config.get("responseMimeType") != "application/json":
        raise invalid("response_schema is only supported with response_mime_type application/json.")
    return config
