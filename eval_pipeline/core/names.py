"""Names of projects, runs and datasets, and the partition key that joins them.

Dagster does not validate partition keys, and a key becomes a path: every name is checked here, once.
"""

import re
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.secrets import redact

DEFAULT_PROJECT = "default"
MAX_NAME_CHARACTERS = 100
_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_SHOWN_CHARACTERS = 60
_SLUG_CHARACTERS = 40
_JOINERS = "\u200c\u200d"  # invisible, but Hindi and many other scripts are not written without them


def shown(value: str) -> str:
    r"""Quote an untrusted value for a message: cut when long, escaped where a character would not show as itself.

    >>> shown("स्वर्ण\n\u202e")
    "'स्वर्ण\\n\\u202e'"
    """
    value = redact(value)
    quoted = "".join(_escaped(character) for character in value[:_SHOWN_CHARACTERS])
    if len(value) <= _SHOWN_CHARACTERS:
        return f"'{quoted}'"
    return f"'{quoted}…' ({len(value):,} characters)"


def _escaped(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return character.encode("unicode_escape").decode()


def validate_run_name(name: str) -> str:
    """Return the name if it may name a run, else raise ``invalid_run_name``."""
    return _validate_plain(name, kind="run name", code="invalid_run_name")


def validate_project(name: str) -> str:
    """Return the name if it may name a project, else raise ``invalid_project``."""
    return _validate_plain(name, kind="project name", code="invalid_project")


def validate_anchors_name(name: str) -> str:
    """Return the name if it may name an anchor set, else raise ``invalid_anchors_name``."""
    return _validate_plain(name, kind="name of an anchor set", code="invalid_anchors_name")


def _validate_plain(name: str, *, kind: str, code: str) -> str:
    if _RUN_NAME.fullmatch(name):
        return name
    raise UsageError(
        f"{shown(name)} is not a valid {kind}",
        code=code,
        hint="use 1 to 100 of the characters A-Z a-z 0-9 . _ - and begin with a letter or digit",
    )


TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Classes of Unicode's bidirectional controls: with them, a name looks like another one. Scripts need none of them."""


def validate_dataset_name(name: str) -> str:
    """Return the NFC form of a display name, else raise ``invalid_dataset_name``.

    Any Unicode, 1 to 100 characters with at least one letter or digit; no control characters, none that
    turn the direction of a text, no ``/``, ``~``, leading dot or ``..``.
    """
    # composing leaves at least a quarter of the characters, and takes minutes for megabytes of combining marks
    normal = unicodedata.normalize("NFC", name) if len(name) <= 4 * MAX_NAME_CHARACTERS else name
    problem = _dataset_name_problem(normal)
    if problem is None:
        return normal
    raise UsageError(
        f"{shown(name)} is not a valid dataset name: {problem}",
        code="invalid_dataset_name",
        hint="use 1 to 100 characters of any script, among them a letter or digit, without / ~ or ..",
    )


def _dataset_name_problem(name: str) -> str | None:
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        return f"it has {len(name):,} characters"
    categories = {unicodedata.category(character) for character in name}
    problems = {
        "it has no letter or digit": not any(category[0] in "LN" for category in categories),
        "it holds a control character": bool(categories & {"Cc", "Cs", "Zl", "Zp"}),
        "it holds a character that turns the direction of text": any(
            unicodedata.bidirectional(character) in TURNING for character in name
        ),
        "it holds one of / \\ ~ @": any(character in name for character in "/\\~@"),
        "it begins with a dot or holds '..'": name.startswith(".") or ".." in name,
        "it begins or ends with a space": name != name.strip(),
    }
    return next((problem for problem, found in problems.items() if found), None)


def slug(name: str) -> str:
    """Derive a path segment from a display name: ASCII letters and digits, then a short hash of the whole.

    >>> slug("Golden questions (v2)")
    'golden-questions-v2-845063af'
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")[:_SLUG_CHARACTERS].strip("-")
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{words}-{digest}" if words else digest


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """A run in its project: ``{run}`` in project ``default``, else ``{project}~{run}``."""

    project: str
    run: str

    @classmethod
    def of(cls, *, project: str, run: str) -> Self:
        """Check both names and join them."""
        return cls(project=validate_project(project), run=validate_run_name(run))

    @classmethod
    def from_partition(cls, key: str) -> Self:
        """Read a Dagster partition key."""
        project, separator, run = key.partition("~")
        read = cls.of(project=project, run=run) if separator else cls.of(project=DEFAULT_PROJECT, run=project)
        if read.partition == key:
            return read
        raise UsageError(
            f"{shown(key)} is not how run {read.run} is named",
            code="invalid_run_name",
            hint=f"use the partition {read.partition}",
        )

    @property
    def partition(self) -> str:
        """The Dagster partition key."""
        return self.run if self.project == DEFAULT_PROJECT else f"{self.project}~{self.run}"


def command_on(verb: str, key: RunKey) -> str:
    """Write the command line that does something to a run, as hints name it."""
    project = "" if key.project == DEFAULT_PROJECT else f" --project {key.project}"
    return f"eval-pipeline {verb} {key.run}{project}"
