"""How a run of any flow that must not begin is tried, and what has to be true of every refusal."""

from itertools import count

from eval_pipeline_tests.commands import Commands

LONGEST_ANSWER = 1_000
_numbers = count()


def refusal(commands: Commands, flow: str, *arguments: str, **variables: str) -> str:
    """Return the code of a run that must not begin."""
    name = f"never-{next(_numbers)}"
    ended = commands(flow, "run", name, *arguments, "--json", **variables)
    assert ended.code == 1, ended
    assert ended.document["error"]["hint"]
    assert len(ended.out) < LONGEST_ANSWER
    assert commands("run", "status", name, "--json").error_code == "run_not_found"
    return ended.error_code
