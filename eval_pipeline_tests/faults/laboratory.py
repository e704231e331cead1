"""A home whose endpoints are the stand-ins of every protocol."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from eval_pipeline.standins.anthropic.app import create_app
from eval_pipeline.standins.server import serve
from eval_pipeline_tests.faults.columns import Column
from eval_pipeline_tests.faults.scenarios import Scenario
from eval_pipeline_tests.faults.trial import GOLDEN, ITEMS, Trial
from eval_pipeline_tests.listening import Door, Listener, guarded, recordings, studio

_ENDPOINTS = """endpoints:
  chat: {{protocol: openai_chat, base_url: "{openai}/v1", key: ${{OPENAI_API_KEY}}, batches: true}}
  claude: {{protocol: anthropic, base_url: "{anthropic}", key: ${{OPENAI_API_KEY}}, batches: true}}
"""


@contextmanager
def opened(folder: Path) -> Iterator[Trial]:
    """Open a home with the questions and the clips in it."""
    file = folder / "endpoints.yaml"
    file.write_text("endpoints: {}")
    with ExitStack() as held:
        app, door = create_app(), Door()
        url = held.enter_context(serve(guarded(app, door=door)))
        claude = Listener(url, held.enter_context(httpx.Client(base_url=url, timeout=30)), door=door)
        made = held.enter_context(studio(folder, recordings(ITEMS), EVAL_ENDPOINTS_FILE=str(file)))
        file.write_text(_ENDPOINTS.format(openai=made.openai.url, anthropic=claude.url))
        made.commands.add("golden", GOLDEN)
        yield Trial(made, {"openai": made.openai, "gemini": made.gemini, "anthropic": claude})


def meets(column: Column, scenario: Scenario) -> bool:
    """Tell whether a kind of work in a protocol can meet a scenario."""
    named = {str(rule["scenario"]) for rule in scenario.batches(column)}
    return column.work in scenario.works and not named & column.unable
