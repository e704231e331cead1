"""Golden files and clips in any number, the same on every machine."""

import csv
import wave
from pathlib import Path
from typing import Final

_SUBJECTS: Final = ("the baker", "a farmer", "Priya", "the library", "each team", "a ferry", "Jonas", "the school")
_THINGS: Final = ("loaves", "crates of apples", "tickets", "notebooks", "points", "passengers", "stamps", "chairs")


def write_golden_file(path: Path, *, rows: int) -> Path:
    """Write a CSV with so many different questions, about 220 bytes each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer", "category"])
        writer.writerows(_row(number) for number in range(rows))
    return path


def _row(number: int) -> tuple[str, str, str]:
    subject, thing = _SUBJECTS[number % 8], _THINGS[number // 8 % 8]
    first, second = number % 997 + 2, number % 89 + 1
    question = (
        f"Question {number}: on Monday {subject} counted {first} {thing}, and on every one of the next {second} days "
        f"{number % 7 + 1} more. How many {thing} were there at the end?"
    )
    answer = f"Case {number}: {first} + {second} * {number % 7 + 1} = {first + second * (number % 7 + 1)} {thing}."
    return question, answer, thing


def write_clips(folder: Path, *, clips: int, clip_bytes: int) -> Path:
    """Write so many WAV files with different sound, and return their folder."""
    folder.mkdir()
    for number in range(clips):
        with wave.open(str(folder / f"{number:05}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes(number.to_bytes(8, "little") * (clip_bytes // 8))
    return folder
