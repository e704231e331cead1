"""Clips that come from S3, go to S3, or both, on a real server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.errors import UnavailableError, UsageError
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.runs.stored_versions import checked_copy
from eval_pipeline.storage.ledger import open_sqlite_ledger
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.s3 import S3ObjectStore
from eval_pipeline_tests.ledgers import make_ledger
from eval_pipeline_tests.s3 import S3Server
from eval_pipeline_tests.stt_eval.audio_bench import AudioBench
from eval_pipeline_tests.stt_eval.recordings import encoded

Put = Callable[[str, bytes | str], None]


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3_server: S3Server, s3_prefix: str) -> ObjectStore:
    if request.param == "local":
        return LocalObjectStore(tmp_path / "store")
    return S3ObjectStore(s3_server.client(), bucket=s3_server.bucket, prefix=f"{s3_prefix}/store")


@pytest.fixture
def bench(tmp_path: Path, store: ObjectStore, s3_server: S3Server) -> Iterator[AudioBench]:
    ledger = open_sqlite_ledger(make_ledger(tmp_path / "ledger.sqlite"))
    yield AudioBench(tmp_path / "given", ledger=ledger, objects=store, s3_client=s3_server.client)
    ledger.close()


@pytest.fixture
def address(s3_server: S3Server, s3_prefix: str) -> str:
    return f"s3://{s3_server.bucket}/{s3_prefix}/in"


@pytest.fixture
def put(s3_server: S3Server, s3_prefix: str) -> Put:
    client: Any = s3_server.client()

    def put_object(name: str, content: bytes | str) -> None:
        body = content if isinstance(content, bytes) else content.encode()
        client.put_object(Bucket=s3_server.bucket, Key=f"{s3_prefix}/in/{name}", Body=body)

    return put_object


def test_a_prefix_is_read_as_a_folder_is(bench: AudioBench, put: Put, address: str) -> None:
    put("b/हिन्दी नाम.wav", encoded("WAV", seconds=0.1))
    put("a.mp3", encoded("MP3", seconds=0.5))
    put("a.txt", "नमस्ते\n")
    put(".hidden/c.wav", b"x")
    added = bench.add(f"{address}/")
    samples = bench.samples(added)

    assert [(sample.file_name, sample.reference) for sample in samples] == [
        ("a.mp3", "नमस्ते"),
        ("b/हिन्दी नाम.wav", None),
    ]
    with checked_copy(bench.objects, samples[0].audio_key, sha256=samples[0].audio_sha256) as path:
        assert path.read_bytes() == encoded("MP3", seconds=0.5)
    assert not bench.add(address).created


def test_the_same_samples_from_a_folder_and_from_s3_are_the_same_version(
    bench: AudioBench, put: Put, address: str
) -> None:
    bench.clip("a.wav")
    put("a.wav", encoded("WAV", seconds=0.1))

    assert bench.add().dataset.version == bench.add(address, name="other").dataset.version


@pytest.mark.parametrize("name", ["manifest.jsonl", "list.csv"])
def test_a_manifest_in_s3_names_what_lies_beside_it(bench: AudioBench, put: Put, address: str, name: str) -> None:
    put("clips/a.wav", encoded("WAV", seconds=0.1))
    rows = {"manifest.jsonl": '{"audio": "clips/a.wav", "reference": null}', "list.csv": "audio\nclips/a.wav\n"}
    put(name, rows[name])
    source = f"{address}/" if name == "manifest.jsonl" else f"{address}/{name}"

    assert [sample.file_name for sample in bench.samples(bench.add(source))] == ["clips/a.wav"]


def test_a_manifest_in_s3_may_not_lead_out_of_its_prefix(bench: AudioBench, put: Put, address: str) -> None:
    put("a.wav", encoded("WAV", seconds=0.1))
    bucket = address.removesuffix("/in")
    put("m.csv", f"audio\n../x.wav\nb/../../x.wav\n{bucket}/x.wav\n/etc/passwd\n{address}/a.wav\n./a.wav\n")
    message = bench.refusal(f"{address}/m.csv")

    assert message.startswith("nothing was added: 4 samples cannot be used")
    assert message.count(f"it does not lie below {address}/; a manifest in S3 may only name") == 4


def test_a_manifest_of_this_machine_may_name_objects(bench: AudioBench, put: Put, address: str) -> None:
    for number in range(1, 6):
        put(f"{number}.wav", encoded("WAV", seconds=number / 10))
    made = []
    make_client = bench.s3_client
    bench.s3_client = lambda: made.append("client") or make_client()
    rows = "".join(f"{address}/{number}.wav\n" for number in range(1, 6))
    manifest = bench.file("m.csv", f"audio\n{rows}")

    assert [sample.file_name for sample in bench.samples(bench.add(manifest))] == [f"{n}.wav" for n in range(1, 6)]
    assert made == ["client"]
    assert "its key has more than 1,024 bytes" in bench.refusal(bench.file("m.csv", f"audio\n{address}/{'x' * 2_000}"))


def test_objects_that_are_missing_empty_or_too_large_are_told_at_once(
    bench: AudioBench, put: Put, address: str
) -> None:
    put("empty.wav", b"")
    put("large.wav", encoded("WAV", seconds=1))
    put("m.csv", "audio\nabsent.wav\nempty.wav\nlarge.wav\n")
    message = bench.refusal(f"{address}/m.csv", EVAL_STT_MAX_AUDIO_BYTES="1000")

    assert f"line 2, 'absent.wav': there is no object {address}/absent.wav; correct its key" in message
    assert "line 3, 'empty.wav': it is empty (0 bytes)" in message
    assert "line 4, 'large.wav': it has 32,044 bytes, more than the 1,000" in message


def test_an_empty_prefix_and_a_bucket_that_is_not_there_are_told_apart(bench: AudioBench, address: str) -> None:
    assert "holds no file" in bench.refusal(f"{address}/nothing/")
    with pytest.raises(UnavailableError) as caught:
        bench.add("s3://no-such-bucket/prefix/")
    assert (caught.value.code, caught.value.hint) == ("store_unavailable", "correct the name of the bucket")
    with pytest.raises(UsageError, match="names no bucket"):
        bench.add("s3:///prefix")


def test_a_service_that_does_not_answer_is_told(bench: AudioBench, s3_server: S3Server) -> None:
    bench.s3_client = lambda: s3_server.client(endpoint_url="http://127.0.0.1:9")

    with pytest.raises(UnavailableError) as caught:
        bench.add("s3://bucket/prefix/")
    assert caught.value.code == "store_unavailable"
