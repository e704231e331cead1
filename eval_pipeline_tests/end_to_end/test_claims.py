"""Twenty people who start the same run at the same moment on a machine that was never used."""

import json
from pathlib import Path

from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.crowd import all_at_once
from eval_pipeline_tests.end_to_end.conftest import KEY
from eval_pipeline_tests.providing import Provider

PROCESSES = 20
GOLDEN = "question,answer\nWho?,Me\n"


def _claim(argument: str) -> str:
    folder, base_url = json.loads(argument)
    commands = Commands(Path(folder), OPENAI_BASE_URL=base_url, OPENAI_API_KEY=KEY)
    added = commands("dataset", "add", "golden", str(Path(folder, "golden.csv")), "--json")
    ended = commands(
        "text", "run", "wanted", "--dataset", "golden", "--mode", "fast", "--scorer", "exact_match", "--json"
    )
    code = (ended.document["error"] or {"code": ended.document.get("state")})["code"]
    return json.dumps([added.code, ended.code, code])


def test_of_twenty_processes_on_an_empty_home_one_runs_and_the_others_are_told(
    tmp_path: Path, openai: Provider
) -> None:
    (tmp_path / "golden.csv").write_text(GOLDEN)
    with openai.behaving():
        answers = all_at_once(_claim, json.dumps([str(tmp_path), openai.base_url]), processes=PROCESSES)

        assert sorted(answers) == sorted(
            ['[0, 0, "completed"]', *(PROCESSES - 1) * ['[0, 1, "run_name_already_exists"]']]
        )
        assert openai.answers.requests == 1
