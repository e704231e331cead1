from io import BytesIO
from pathlib import Path

from eval_pipeline.core.secrets import know_secrets
from eval_pipeline.dispatch.result_lines import clean_file, lines_of

LINES = b"short\n" + b"x" * 25 + b"\n" + b"exactly10\n" + b"y" * 10 + b"\nlast"
CUT = [b"short\n", b"x" * 10, b"exactly10\n", b"y" * 10, b"last"]


def test_of_a_line_that_is_too_long_its_beginning_is_read() -> None:
    assert list(lines_of(BytesIO(LINES), most_bytes=10)) == CUT
    assert list(lines_of(BytesIO(LINES), most_bytes=1_000)) == LINES.splitlines(keepends=True)


def test_a_file_is_kept_without_keys_and_without_the_rest_of_lines_that_are_too_long(tmp_path: Path) -> None:
    know_secrets(["sk-planted-0123456789"])
    path = tmp_path / "results.jsonl"
    path.write_bytes(b"sk-planted-0123456789\n" + b"z" * 70 + b"\nplain\n")

    clean_file(path, most_bytes=50)

    first, second, third = path.read_bytes().split(b"\n")[:-1]
    assert b"planted" not in first
    assert (second, third) == (b"z" * 50, b"plain")
