"""Verdicts of judges that others recorded, with what people said: see ``published/README.md``."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PUBLISHED = Path(__file__).parent / "published"
Item = tuple[str, str]


def devai() -> Mapping[str, NDArray[np.float64]]:
    """Return, by agent, the requirements met (1) or not (0) by human consensus and by the agent that judged."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in _rows("agent_as_a_judge_devai.csv.gz"):
        found[row["agent"]].append((float(row["human_consensus"] == "True"), float(row["agent_judge"] == "True")))
    return {agent: np.array(pairs) for agent, pairs in found.items()}


def llmbar(*, strategy: str, dataset: str) -> Mapping[str, Mapping[Item, tuple[float, float, float]]]:
    """Return, by judge and item, the better answer by the authors, and by the judge in both orders (NaN: no answer).

    Args:
        strategy: how the judge was asked.
        dataset: what the name of the dataset contains.
    """
    found: dict[str, dict[Item, tuple[float, float, float]]] = defaultdict(dict)
    for row in _rows("llmbar_verdicts.csv.gz"):
        if row["strategy"] == strategy and dataset in row["dataset"]:
            verdicts = (float(row["label"]), _number(row["winner_ab"]), _number(row["winner_ba"]))
            found[row["judge_model"]][row["dataset"], row["item"]] = verdicts
    return found


def _number(text: str) -> float:
    return float(text) if text else np.nan


def _rows(name: str) -> list[dict[str, str]]:
    with gzip.open(PUBLISHED / name, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
