"""Make the project's own virtual environment from a hash-pinned lock file; standard library only.

uv installs the lock in a fraction of pip's time, but does not read pip's configuration: where it cannot reach a
registry, pip does the work.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

OLDEST_PYTHON = (3, 11)
BUILD_TOOLS = "requirements-build.lock"
"""uv and what builds the project: needed while an environment is made, and not in it."""
PIP_ARGUMENTS = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r")


def main() -> int:
    """Make or update the environment named first from the lock file named second."""
    folder, lock = Path(sys.argv[1]), Path(sys.argv[2])
    if sys.version_info < OLDEST_PYTHON:
        return complain(
            f"Python {sys.version.split()[0]} at {sys.executable} is too old: 3.11 or newer is needed",
            "name another one, for example: make demo PYTHON=python3.12",
        )
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making the virtual environment {folder}", flush=True)
        try:
            venv.create(folder, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            return complain(f"cannot make {folder}: {error}", "install Python's venv module (Debian: python3-venv)")
    print(f"installing {lock}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        tools = Path(temporary)
        if not run(python, "-m", "pip", "install", "--target", tools, *PIP_ARGUMENTS, BUILD_TOOLS):
            return complain(f"cannot install {BUILD_TOOLS}", "see the messages above; is a package registry reachable?")
        if not (install_with_uv(python, lock, tools=tools) or install_with_pip(python, lock)):
            return complain(f"cannot install {lock}", "see the messages above; is a package registry reachable?")
        if install_project(python, tools=tools):
            return 0
    return complain("cannot install the project itself", "see the messages above")


def install_with_uv(python: Path, lock: Path, *, tools: Path) -> bool:
    """Install the lock with uv, which is among the build tools and does not stay."""
    environment = {**os.environ, "UV_LINK_MODE": "copy"}
    # the system's certificates: many organisations inspect their traffic with their own authority
    arguments = ("--system-certs", "pip", "install", "--quiet", "--python", python, "--no-deps", "--require-hashes")
    return run(tools / "bin" / "uv", *arguments, "-r", str(lock), environment=environment)


def install_with_pip(python: Path, lock: Path) -> bool:
    """Install the lock with pip, as pip is configured here."""
    print("uv could not install it, pip goes on (about a minute)", flush=True)
    return run(python, "-m", "pip", "install", *PIP_ARGUMENTS, str(lock))


def install_project(python: Path, *, tools: Path) -> bool:
    """Install the project itself, editable, with the build tools."""
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index", "-e", ".")
    return run(python, "-m", "pip", "install", *options, environment={**os.environ, "PYTHONPATH": str(tools)})


def run(*command: str | Path, environment: dict[str, str] | None = None) -> bool:
    """Run a command and tell whether it succeeded."""
    finished = subprocess.run([str(part) for part in command], check=False, env=environment)  # noqa: S603 - own commands
    return finished.returncode == 0


def complain(message: str, remedy: str) -> int:
    """Say what is wrong and what to do."""
    print(f"error: {message}\nhint: {remedy}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
