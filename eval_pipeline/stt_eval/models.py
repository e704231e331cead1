"""Which speech models a run asks, and in whose protocol; names are configuration, not a list of ours."""

from dataclasses import dataclass
from typing import Self

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.names import shown
from eval_pipeline.core.providers import Provider

MOST_NAME_CHARACTERS = 200
_GEMINI = ("gemini-", "models/gemini-")


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """One model of a run."""

    provider: Provider
    name: str

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read ``NAME`` or ``PROVIDER/NAME``; without a provider the name tells: ``gemini-…`` is Gemini's.

        >>> SpeechModel.parse("gemini-2.5-flash").provider.value, SpeechModel.parse("openai/whisper-1").name
        ('gemini', 'whisper-1')
        >>> SpeechModel.parse("org/large-v3")
        SpeechModel(provider=<Provider.OPENAI: 'openai'>, name='org/large-v3')
        """
        if not isinstance(value, str) or not value.strip():
            raise invalid_config(f"model is {shown(str(value))}, not a name", "give a name such as gemini-2.5-flash")
        text = value.strip()
        if len(text) > MOST_NAME_CHARACTERS or not text.isprintable():
            raise invalid_config(f"model is {shown(text)}, which cannot be a model's name", "give its name alone")
        first, separator, rest = text.partition("/")
        if separator and rest and first in set(Provider):
            return cls(Provider(first), rest)
        return cls(Provider.GEMINI if text.startswith(_GEMINI) else Provider.OPENAI, text)

    @property
    def label(self) -> str:
        """How it is asked for: what ``parse`` reads back as this model."""
        return self.name if SpeechModel.parse(self.name) == self else f"{self.provider}/{self.name}"
