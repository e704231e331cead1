"""One partition is one run."""

import dagster as dg
import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.defs.instance import open_instance
from eval_pipeline.defs.io_managers import stage_ref
from eval_pipeline.defs.partitions import PARTITION_SETS, forget_partition


def test_a_deleted_runs_partition_goes_from_the_ui(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVAL_PIPELINE_HOME", str(tmp_path_factory.mktemp("home")))
    with open_instance() as instance:
        instance.add_dynamic_partitions("text_runs", ["first", "other~first"])

    forget_partition(Flow.TEXT, RunKey(project="other", run="first"))

    with open_instance() as instance:
        assert instance.get_dynamic_partitions("text_runs") == ["first"]


def test_every_flow_has_a_set_of_its_own() -> None:
    assert len(set(PARTITION_SETS.values())) == len(Flow)


def test_an_asset_and_its_partition_name_the_stage() -> None:
    ref = stage_ref(dg.AssetKey(["text_eval", "scores"]), partition="acme~first")

    assert ref.prefix == "text_eval/acme/first/scores"
