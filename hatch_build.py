"""Writes the commit that a distribution is built from into it, so that stored stages can name their code."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface):
    """Adds ``eval_pipeline/commit.txt`` to wheels and source distributions that are built in a checkout."""

    PLUGIN_NAME = "custom"
    _folder: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file; an editable installation has none, its checkout is asked when it runs."""
        if version == "editable" or not (Path(self.root) / ".git").exists():
            return
        command = ["git", "describe", "--always", "--dirty=.dirty", "--abbrev=12", "--exclude=*"]
        commit = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True).stdout
        self._folder = Path(tempfile.mkdtemp(prefix="eval-pipeline-build-"))
        (self._folder / "commit.txt").write_text(commit, encoding="ascii")
        build_data["force_include"][str(self._folder / "commit.txt")] = "eval_pipeline/commit.txt"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was written beside the checkout."""
        del version, build_data, artifact_path
        if self._folder is not None:
            shutil.rmtree(self._folder)
