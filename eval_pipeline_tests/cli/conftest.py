"""One home with a dataset for all tests of a module; nothing here reaches a provider."""

import pytest

from eval_pipeline_tests.commands import Commands

GOLDEN = "question,answer\n" + "".join(f"Question {number}?,Answer {number}\n" for number in range(3))


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    made = Commands(tmp_path_factory.mktemp("cli"), OPENAI_API_KEY="sk-test", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    made.add("golden", GOLDEN)
    return made
