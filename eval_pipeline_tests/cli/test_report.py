"""``eval-pipeline report``: where the report of a run is, and a copy of it."""

from pathlib import Path

from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import provider


def test_a_report_is_named_and_copied(tmp_path: Path) -> None:
    copy = tmp_path / "copy.html"
    with provider() as openai:
        commands = Commands(tmp_path, OPENAI_BASE_URL=openai.base_url, OPENAI_API_KEY="any")
        furnish(commands.home)
        commands.add("golden", "question,answer\nWhat is 2 + 2?,4\n")
        early = commands("report", "r1", "--json")
        assert (
            commands("text", "run", "r1", "--dataset", "golden", "--mode", "fast", "--scorer", "exact_match").code == 0
        )

    named = commands("report", "r1")
    copied = commands.json("report", "r1", "--output", str(copy))
    refused = commands("report", "r1", "--output", str(tmp_path / "nowhere" / "x.html"), "--json")
    status = commands.json("run", "status", "r1")

    assert early.error_code == "run_not_found"
    assert named.code == 0
    assert copy.read_bytes() == Path(named.out.strip()).read_bytes()
    assert copied["path"] == str(copy)
    assert refused.code == 1
    assert "its folder does not exist" in refused.document["error"]["message"]
    assert {stage["stage"]: stage["progress"] for stage in status["stages"]}["responses"] is None
