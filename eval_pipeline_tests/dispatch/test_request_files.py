"""Request files: cut by the provider's limits, byte for byte what was asked, read back in order."""

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.core.errors import UsageError
from eval_pipeline.dispatch.request_files import ShardLimits, request_ids, write_shards
from eval_pipeline.providers.openai.batch_lines import OpenAILines

TEMPLATE = OpenAILines(endpoint="/v1/responses", body={"model": "gpt-4o-mini", "instructions": "Be “brief”."})


def written(lines: list[bytes], folder: Path, *, requests: int = 10, size_bytes: int = 10_000) -> list[bytes]:
    """Cut the lines and return the bytes of every shard."""
    shards: list[bytes] = []
    for file in write_shards(lines, folder=folder, limits=ShardLimits(requests=requests, size_bytes=size_bytes)):
        content = file.path.read_bytes()
        assert (file.size_bytes, file.sha256) == (len(content), sha256(content).hexdigest())
        assert file.requests == content.count(b"\n")
        shards.append(content)
    assert not list(folder.iterdir()), "nothing stays on the local disk"
    return shards


def test_files_are_cut_by_the_number_of_requests(tmp_path: Path) -> None:
    lines = [TEMPLATE.line(f"q{number}", "?") for number in range(7)]

    shards = written(lines, tmp_path, requests=3)

    assert [shard.count(b"\n") for shard in shards] == [3, 3, 1]
    assert b"".join(shards) == b"".join(lines)


def test_files_are_cut_by_their_bytes(tmp_path: Path) -> None:
    lines = [TEMPLATE.line(f"q{number}", "?" * number) for number in range(20)]
    limit = 3 * len(lines[-1])

    shards = written(lines, tmp_path, requests=1_000, size_bytes=limit)

    assert max(map(len, shards)) <= limit
    assert b"".join(shards) == b"".join(lines)


def test_a_file_may_be_exactly_as_large_as_the_limit(tmp_path: Path) -> None:
    lines = [TEMPLATE.line(f"q{number}", "?") for number in range(4)]

    assert written(lines, tmp_path, size_bytes=len(lines[0])) == lines
    assert written(lines, tmp_path, size_bytes=2 * len(lines[0]) - 1) == lines
    assert written(lines, tmp_path, size_bytes=2 * len(lines[0])) == [lines[0] + lines[1], lines[2] + lines[3]]


def test_nothing_to_ask_makes_no_file(tmp_path: Path) -> None:
    assert written([], tmp_path) == []


def test_a_line_that_no_file_can_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"item 'q9' has .* bytes, a request file may have 500") as caught:
        written([TEMPLATE.line("q1", "?"), TEMPLATE.line("q9", "?" * 500)], tmp_path, size_bytes=500)

    assert caught.value.code == "request_too_large"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True, max_size=5))
def test_ids_are_read_back_as_they_were_written_whatever_they_hold(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str]
) -> None:
    path = tmp_path_factory.mktemp("ids") / "requests.jsonl"
    path.write_bytes(b"".join(TEMPLATE.line(name, '","method":"') for name in ids))

    assert list(request_ids(path)) == ids


def test_the_id_is_the_first_value_whatever_a_provider_calls_it(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_bytes(b'{"key":"q1","request":{"a":"b"}}\n{"key":"q\\n2","request":{"a":"b"}}\n')

    assert list(request_ids(path)) == ["q1", "q\n2"]


@pytest.mark.parametrize("name", ['a","method":"b', "a\\", "ü", '"', "a\nb"])
def test_an_id_that_looks_like_the_rest_of_its_line_is_read_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_bytes(TEMPLATE.line(name, "?"))

    assert list(request_ids(path)) == [name]
