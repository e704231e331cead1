"""Which speech models a run asks, and at which endpoint; names are configuration, not a list of ours."""

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Self

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.model_names import split_model
from eval_pipeline.core.names import shown
from eval_pipeline.core.protocols import BUILT_IN, GEMINI, OPENAI

MOST_NAME_CHARACTERS = 200
_RESOURCE = re.compile("^(?:models/)+(?=.)")
_GEMINI = ("gemini-", "models/gemini-")


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """One model of a run."""

    endpoint: str
    name: str

    @classmethod
    def parse(cls, value: object, *, endpoints: Container[str] = BUILT_IN) -> Self:
        """Read ``NAME`` or ``ENDPOINT/NAME``; without an endpoint the name tells: ``gemini-…`` is Gemini's.

        >>> SpeechModel.parse("gemini-2.5-flash").endpoint, SpeechModel.parse("openai/whisper-1").name
        ('gemini', 'whisper-1')
        >>> SpeechModel.parse("org/large-v3")
        SpeechModel(endpoint='openai', name='org/large-v3')
        >>> SpeechModel.parse("speaches/large-v3", endpoints={"speaches"})
        SpeechModel(endpoint='speaches', name='large-v3')
        """
        if not isinstance(value, str) or not value.strip():
            raise invalid_config(f"model is {shown(str(value))}, not a name", "give a name such as gemini-2.5-flash")
        text = value.strip()
        if len(text) > MOST_NAME_CHARACTERS or not text.isprintable():
            raise invalid_config(f"model is {shown(text)}, which cannot be a model's name", "give its name alone")
        named = split_model(text, endpoints=endpoints)
        if named.endpoint is not None:
            return cls._of(named.endpoint, named.model)
        return cls._of(GEMINI if text.startswith(_GEMINI) else OPENAI, text)

    @classmethod
    def _of(cls, endpoint: str, name: str) -> Self:
        """Name Gemini's models in one way: with ``models/`` before it, it is the same one, and would be paid twice."""
        return cls(endpoint, _RESOURCE.sub("", name) if endpoint == GEMINI else name)

    @property
    def label(self) -> str:
        """How it is asked for: what ``parse`` reads back as this model where there are the endpoints of its run."""
        return self.name if SpeechModel.parse(self.name) == self else f"{self.endpoint}/{self.name}"
