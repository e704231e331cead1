from contextlib import closing
from pathlib import Path

import pytest

from eval_pipeline.core.errors import ConflictError, UnavailableError
from eval_pipeline.storage.home import find_home, open_home_ledger
from eval_pipeline_tests.crowd import all_at_once
from eval_pipeline_tests.storage.records import a_run


def test_the_variable_names_the_home(tmp_path: Path) -> None:
    (tmp_path / ".eval_pipeline").mkdir()

    assert find_home({"EVAL_PIPELINE_HOME": "/srv/evaluations"}, tmp_path) == Path("/srv/evaluations")
    assert find_home({"EVAL_PIPELINE_HOME": "there"}, tmp_path) == tmp_path / "there"


def test_the_nearest_home_at_or_above_the_working_folder_is_taken(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    (deep / ".eval_pipeline").mkdir(parents=True)
    (tmp_path / ".eval_pipeline").mkdir()

    assert find_home({}, deep) == deep / ".eval_pipeline"
    assert find_home({"EVAL_PIPELINE_HOME": ""}, deep.parent) == tmp_path / ".eval_pipeline"


def test_without_any_home_a_new_one_belongs_into_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / ".eval_pipeline").write_text("a file is no home")

    assert find_home({}, tmp_path / "a") == tmp_path / "a" / ".eval_pipeline"
    assert not (tmp_path / "a" / ".eval_pipeline").exists()


def work_in_home(home: str) -> str:
    with closing(open_home_ledger(Path(home))) as ledger:
        try:
            ledger.claim_run(a_run())
        except ConflictError as error:
            return error.code
        return "won"


def test_twenty_processes_that_open_a_fresh_home_at_once_all_work(tmp_path: Path) -> None:
    home = tmp_path / "home"

    answers = all_at_once(work_in_home, str(home))

    assert sorted(answers) == ["run_name_already_exists"] * 19 + ["won"]
    assert sorted(path.name for path in home.iterdir()) == [".ledger.sqlite.lock", "ledger.sqlite"]


def test_a_home_that_cannot_be_made_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UnavailableError, match="cannot be made") as caught:
        open_home_ledger(tmp_path / "file")

    assert str(tmp_path / "file") in caught.value.message
    assert "EVAL_PIPELINE_HOME" in caught.value.hint
