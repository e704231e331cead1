"""Makes samples of clips: names them, finds those that are there twice, counts what they amount to."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

import orjson

from eval_pipeline.core.counting import counted
from eval_pipeline.core.damaged_text import DamagedRows, is_lost
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.stt_eval.clips.audio_facts import can_measure
from eval_pipeline.stt_eval.clips.audio_formats import AudioFormat
from eval_pipeline.stt_eval.clips.intake import Clip, NoAudio, Taken
from eval_pipeline.stt_eval.clips.places import S3_SCHEME
from eval_pipeline.stt_eval.clips.problems import Problem, Problems, place
from eval_pipeline.stt_eval.clips.references import holds_no_word, is_not_understood, is_silence
from eval_pipeline.stt_eval.clips.samples import Sample, SampleIds

UNDETERMINED = "und"
_SHOWN = 10


class _Noted:
    """Counts what is unusual and keeps the first of it."""

    def __init__(self, noun: str, *, verb: tuple[str, str]) -> None:
        self._noun = noun
        self._verb = verb
        self._count = 0
        self._first: list[str] = []

    def add(self, one: str) -> None:
        self._count += 1
        if len(self._first) < _SHOWN:
            self._first.append(one)

    def told(self) -> str:
        more = "; …" if self._count > len(self._first) else ""
        told = counted(self._count, self._noun, verb=self._verb)
        return f"{told}: {'; '.join(self._first)}{more}" if self._count else ""


class SampleTally:
    """What is known of the samples so far; memory holds a few dozen bytes of each.

    Args:
        ids: names samples.
        language: of samples that name none.
        problems: where what is wrong goes.
    """

    def __init__(self, ids: SampleIds, *, language: str | None, problems: Problems) -> None:
        self._ids = ids
        self._language = language
        self._problems = problems
        self._digest = hashlib.sha256()
        self._seen: dict[bytes, str] = {}
        self._clips: dict[bytes, str] = {}
        self._shared = _Noted(
            "sample", verb=("shares its sound with another one", "share their sound with another one")
        )
        self._no_audio = _Noted("file", verb=("is no audio", "are no audio"))
        self._told = _Noted("clip", verb=("has warnings", "have warnings"))
        twice = "there twice with the same reference and language, and taken once"
        self._repeated = _Noted("clip", verb=(f"is {twice}", f"are {twice}"))
        nobody = "that nobody understood what was said, and cannot be scored against"
        self._not_understood = _Noted("reference", verb=(f"says {nobody}", f"say {nobody}"))
        silence = "no word, and taken for silence"
        self._wordless = _Noted("reference", verb=(f"with {silence}", f"with {silence}"))
        self._damaged = DamagedRows(noun="references")
        self.samples = self.size_bytes = self.labelled = self.silent = self.unknown_durations = 0
        self.duration_s = 0.0
        self.languages: Counter[str] = Counter()
        self.formats: Counter[str] = Counter()

    @property
    def clips(self) -> int:
        """Distinct clips."""
        return len(self._clips)

    @property
    def version(self) -> str:
        """The sha256 of everything that is evaluated: equal samples are one version, wherever they came from.

        Whether a duration is known is part of it: clips that are added again with PyAV at hand become a new version.
        """
        return self._digest.hexdigest()

    def usable(self, taken: Iterable[Taken]) -> Iterator[Sample]:
        """Pass samples on and count everything."""
        for outcome in taken:
            match outcome:
                case Problem():
                    self._problems.add(outcome)
                case NoAudio():
                    self._no_audio.add(shown(outcome.name))
                case Clip():
                    sample = self._sample(outcome)
                    if self._is_new(sample):
                        self._count(sample, outcome)
                        yield sample

    def _sample(self, clip: Clip) -> Sample:
        row, facts = clip.row, clip.facts
        name = _file_name(row.audio)
        return Sample(
            sample_id=row.sample_id or self._ids.derive(name),
            audio_sha256=clip.sha256,
            audio_key=clip.key,
            format=facts.format,
            size_bytes=clip.size_bytes,
            duration_s=facts.duration_s,
            sample_rate_hz=facts.sample_rate_hz,
            channels=facts.channels,
            reference=row.reference,
            language=row.language or self._language,
            file_name=name,
            line=row.line,
            metadata=row.metadata,
        )

    def _is_new(self, sample: Sample) -> bool:
        content = orjson.dumps([sample.audio_sha256, sample.reference, sample.language])
        here = place(sample.line, shown(sample.file_name))
        first = self._seen.setdefault(hashlib.blake2b(content, digest_size=16).digest(), here)
        if first is here:
            return True
        self._repeated.add(f"{here} as {first}")
        return False

    def _count(self, sample: Sample, clip: Clip) -> None:
        here = place(sample.line, shown(sample.file_name))
        self._note_clip(sample, here)
        for warning in clip.facts.warnings:
            self._told.add(f"{here}: {warning}")
        self.samples += 1
        self._note_reference(sample.reference, here)
        self.duration_s += sample.duration_s or 0
        self.unknown_durations += sample.duration_s is None
        self.languages[sample.language or UNDETERMINED] += 1
        self.formats[sample.format.value] += 1
        self._digest.update(_content(sample))

    def _note_reference(self, reference: str | None, here: str) -> None:
        if reference is None:
            return
        self.labelled += 1
        self._damaged.see(here, reference)
        if is_not_understood(reference):
            self._not_understood.add(f"{here} ({shown(reference)})")
            return
        if is_lost(reference):
            return
        wordless = holds_no_word(reference)
        self.silent += wordless or is_silence(reference)
        if wordless:
            self._wordless.add(f"{here} ({shown(reference)})")

    def check_damage(self) -> None:
        """Refuse a dataset most of whose references are damaged."""
        most = self._damaged.most()
        if most is not None:
            problem, remedy = most
            raise UsageError(f"nothing was added: of the references, {problem}", code="invalid_dataset", hint=remedy)

    def _note_clip(self, sample: Sample, here: str) -> None:
        first = self._clips.setdefault(bytes.fromhex(sample.audio_sha256), here)
        if first is here:
            self.size_bytes += sample.size_bytes
            return
        self._shared.add(f"{here} as {first}")

    def warnings(self) -> tuple[str, ...]:
        """Say what is unusual about the samples as a whole, and about single ones, the first of them."""
        notes = (self._shared, self._repeated, self._no_audio, self._told, self._not_understood, self._wordless)
        told = (note.told() for note in notes)
        found = (*told, *self._damaged.warnings(), self._durations_warning(), self._languages_warning())
        return tuple(warning for warning in found if warning)

    def _durations_warning(self) -> str:
        missing = [name for name in self.formats if not can_measure(AudioFormat(name))]
        if not self.unknown_durations or not missing:
            return ""
        return (
            f"the duration of {counted(self.unknown_durations, 'clip')} is unknown: "
            f"{' and '.join(sorted(missing))} need PyAV; "
            "pip install 'eval-pipeline[audio]' and add the dataset again"
        )

    def _languages_warning(self) -> str:
        without = self.languages[UNDETERMINED]
        samples = counted(without, "sample", verb=("has", "have"))
        return f"{samples} no language, models will guess: --language sets it" if without else ""


def _content(sample: Sample) -> bytes:
    """Return what makes a sample what it is, as one line."""
    return orjson.dumps(
        [
            sample.sample_id,
            sample.audio_sha256,
            sample.reference,
            sample.language,
            sample.file_name,
            dict(sample.metadata),
            sample.duration_s is not None,
        ],
        option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE,
    )


def _file_name(audio: str) -> str:
    """Return the name that people know; where the dataset's files lay on somebody's machine is nobody's business."""
    if audio.startswith((S3_SCHEME, "/")):
        return audio.rpartition("/")[2] or audio
    return audio
