"""The providers that this version speaks to; a provider has a name everywhere: in specifications, jobs, sensors."""

from enum import StrEnum
from types import MappingProxyType


class Provider(StrEnum):
    """Whose protocol a model is asked in; other companies' servers speak these, too."""

    OPENAI = "openai"
    GEMINI = "gemini"


TITLES = MappingProxyType({Provider.OPENAI: "OpenAI", Provider.GEMINI: "Gemini"})
"""The providers as people write them."""
KEY_VARIABLES = MappingProxyType({Provider.OPENAI: "OPENAI_API_KEY", Provider.GEMINI: "GEMINI_API_KEY"})
OTHER_KEY_VARIABLES = MappingProxyType({Provider.GEMINI: "GOOGLE_API_KEY"})
"""Names that win over the first ones where both are set, as in the provider's own client."""
URL_VARIABLES = MappingProxyType({Provider.OPENAI: "OPENAI_BASE_URL", Provider.GEMINI: "GOOGLE_GEMINI_BASE_URL"})
