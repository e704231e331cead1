"""Small JSON documents in which a stand-in keeps its state for a restart."""

from pathlib import Path

import orjson


def write_json(path: Path, document: object) -> None:
    """Write a document such that a process that is killed leaves the old or the new one."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(orjson.dumps(document))
    draft.replace(path)
