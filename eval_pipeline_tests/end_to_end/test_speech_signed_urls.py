"""Clips that Gemini fetches from our S3 store by signed addresses, which are secrets: nothing keeps one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline_tests.listening import FLASH, PRO, RUN, Studio, recordings, studio
from eval_pipeline_tests.s3 import S3Server

pytestmark = pytest.mark.slow

CLIPS = recordings(4)
SECRETS = (b"X-Amz-Signature", b"X-Amz-Credential", b"x-amz-signature")


@pytest.fixture
def made(tmp_path: Path, s3_server: S3Server, s3_prefix: str) -> Iterator[Studio]:
    """Give a home whose store lies in S3; one line fails once, so that there is a second round."""
    store = f"s3://{s3_server.bucket}/{s3_prefix}"
    variables = {"EVAL_PIPELINE_STORE": store, **s3_server.environment()}
    with studio(tmp_path, CLIPS, **variables) as opened:
        opened.gemini.spoil({"kind": "server_error", "endpoint": "generate", "match": CLIPS[0].sha256, "times": 1})
        yield opened


def test_clips_are_heard_and_their_addresses_kept_nowhere(made: Studio, s3_server: S3Server, s3_prefix: str) -> None:
    ended = made.run("--audio-transport", "signed_url", models=(FLASH, PRO))

    assert (ended.code, ended.document["counts"]["ok"]) == (0, 8), ended.document["error"]
    assert len(ended.document["batches"]) == 3
    assert "files.upload" in made.gemini.counts()
    assert {name for name in made.gemini.counts()["files.upload"]["asked"] if name.endswith(".wav")} == set()
    client = s3_server.client()
    listed = client.list_objects_v2(Bucket=s3_server.bucket, Prefix=s3_prefix)["Contents"]
    contents = {
        entry["Key"]: client.get_object(Bucket=s3_server.bucket, Key=entry["Key"])["Body"].read() for entry in listed
    }
    files = {str(path): content for path, content in made.commands.everything_stored()}
    assert any("requests.jsonl" in key for key in contents)
    assert any("ledger" in path for path in files)
    found = [key for key, content in {**contents, **files}.items() if any(secret in content for secret in SECRETS)]
    assert found == []
    told = ended.out + ended.err + made("stt", "show", RUN, "--detail", "--json").out
    assert not any(secret.decode() in told for secret in SECRETS)


def test_a_store_that_nobody_outside_reaches_is_refused_before_anything_is_claimed(tmp_path: Path) -> None:
    with studio(tmp_path, CLIPS) as local:
        refused = local.run("--audio-transport", "signed_url")

        assert (refused.code, refused.error_code) == (1, "no_signed_urls")
        assert "files_api" in refused.document["error"]["hint"]
        assert local("run", "status", RUN, "--json").error_code == "run_not_found"
        assert local.gemini.batches() == []
