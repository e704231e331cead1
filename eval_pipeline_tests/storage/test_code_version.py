"""Every stored stage names the code that made it."""

import subprocess
import sys
import zipfile
from pathlib import Path

from eval_pipeline.storage.code_version import built_in_commit, code_version, commit_of_checkout

ROOT = Path(__file__).parents[2]


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_checkout_is_named_by_its_commit_and_says_when_it_was_edited(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "code.py").write_text("1")
    assert commit_of_checkout(tmp_path) is None, "nothing is committed yet"
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-q", "-m", "one")

    assert commit_of_checkout(tmp_path) == git(tmp_path, "rev-parse", "HEAD")[:12]

    (tmp_path / "code.py").write_text("2")
    assert str(commit_of_checkout(tmp_path)).endswith(".dirty")


def test_a_folder_inside_the_checkout_of_another_project_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "site-packages").mkdir()
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "theirs")

    assert commit_of_checkout(tmp_path / "site-packages") is None


def test_a_wheel_carries_the_commit_that_it_was_built_from(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as content:
        holds = "eval_pipeline/commit.txt" in content.namelist()
        if holds:
            content.extract("eval_pipeline/commit.txt", tmp_path)
    commit = built_in_commit(tmp_path / "eval_pipeline")

    assert commit == commit_of_checkout(ROOT)
    assert code_version().endswith(f"+g{commit}" if commit else "0.1.0")
