"""``eval-pipeline standins``: a provider for trying things out."""

import json
from pathlib import Path
from urllib.request import urlopen

from eval_pipeline_tests.commands import Commands, ended


def test_the_stand_ins_say_where_they_listen_and_end_in_order(tmp_path: Path) -> None:
    with Commands(tmp_path).begin("standins", "--latency", "0") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with urlopen(f"{told['openai_control_url']}/counts") as reply:
            counts = json.load(reply)
        process.terminate()
        last = ended(process)

    assert counts["responses"]["requests"] == 0
    assert (last.code, last.err) == (0, "")
