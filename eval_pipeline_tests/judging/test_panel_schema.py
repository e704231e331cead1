"""The published schema of a panel file and its page know exactly the keys that the reader knows."""

import re
from pathlib import Path

from eval_pipeline.judging.panel_file import AXIS_KEYS, EXPERT_KEYS, PANEL_KEYS, RUBRIC_KEYS, read_panel
from eval_pipeline.judging.panel_schema import panel_schema
from eval_pipeline.standins.faults import JUDGE_FAULTS

PAGE = (Path(__file__).parents[2] / "docs" / "panels.md").read_text(encoding="utf-8")


def test_the_schema_knows_the_keys_of_the_reader_and_no_others() -> None:
    schema = panel_schema()
    parts = {"axis": AXIS_KEYS, "expert": EXPERT_KEYS, "rubric": RUBRIC_KEYS}

    assert schema["properties"].keys() == PANEL_KEYS
    for name, keys in parts.items():
        part = schema["$defs"][name]
        assert part["properties"].keys() == keys
        assert part["additionalProperties"] is False
    assert {"if", "then"} <= schema.keys()


def test_the_panel_of_the_page_is_read_and_the_page_names_every_key_and_fault() -> None:
    [written] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    panel = read_panel(written.encode(), source="docs/panels.md")

    assert [expert.id for expert in panel.experts] == ["agronomist", "auditor"]
    named = " ".join(re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE))
    assert {key for key in AXIS_KEYS | EXPERT_KEYS if f"{key}`" not in named} == set()
    assert {fault for fault in JUDGE_FAULTS if f"`{fault}`" not in named} == set()
