"""Which speech models a run asks, and in whose protocol; names are configuration, not a list of ours."""

import re
from dataclasses import dataclass
from typing import Self

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.names import shown
from eval_pipeline.core.providers import Provider

MOST_NAME_CHARACTERS = 200
_RESOURCE = re.compile("^(?:models/)+(?=.)")
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
        first, _, rest = text.partition("/")
        if rest.strip() and first in set(Provider):
            return cls._of(Provider(first), rest.strip())
        return cls._of(Provider.GEMINI if text.startswith(_GEMINI) else Provider.OPENAI, text)

    @classmethod
    def _of(cls, provider: Provider, name: str) -> Self:
        """Name Gemini's models in one way: with ``models/`` before it, it is the same one, and would be paid twice."""
        return cls(provider, _RESOURCE.sub("", name) if provider is Provider.GEMINI else name)

    @property
    def label(self) -> str:
        """How it is asked for: what ``parse`` reads back as this model."""
        return self.name if SpeechModel.parse(self.name) == self else f"{self.provider}/{self.name}"
