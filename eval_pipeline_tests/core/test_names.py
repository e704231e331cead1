import doctest

import pytest

from eval_pipeline.core import names
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import RunKey, shown, slug, validate_dataset_name, validate_project, validate_run_name


def test_the_examples_in_the_documentation_hold() -> None:
    result = doctest.testmod(names)

    assert (result.failed, result.attempted) == (0, 2)


@pytest.mark.parametrize("name", ["a", "7", "run-1", "Run_1.2..3", "x" * 100])
def test_a_plain_name_is_a_run_name_and_a_project_name(name: str) -> None:
    assert validate_run_name(name) == name
    assert validate_project(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".a", "-a", "_a", "..", "a/b", "a~b", "a b", "a\n", "a\0", "é", "१", "🙂", "x" * 101, "x" * 10_000_000],
    ids=lambda name: ascii(name)[:20],
)
def test_a_name_that_could_leave_its_path_or_break_a_key_is_refused_shortly(name: str) -> None:
    for validate, code in ((validate_run_name, "invalid_run_name"), (validate_project, "invalid_project")):
        with pytest.raises(UsageError) as caught:
            validate(name)
        assert caught.value.code == code
        assert len(caught.value.message) < 500
        assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "name", ["golden", "स्वर्ण प्रश्न", "क्\u200dष", "Ünïcode (v2)", "問題集", "سؤال", "1", "v1.2", "🙂 a", "x" * 100]
)
def test_a_display_name_may_be_of_any_script(name: str) -> None:
    assert validate_dataset_name(name) == name


def test_two_spellings_of_the_same_display_name_are_one_name() -> None:
    assert validate_dataset_name("cafe\u0301") == "café"


def test_the_length_of_a_display_name_counts_after_composing_it() -> None:
    assert validate_dataset_name("e\u0301" * 100) == "é" * 100


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "it has 0 characters"),
        ("x" * 101, "it has 101 characters"),
        ("x" * 10_000, "it has 10,000 characters"),
        ("a" + "\u0315\u0300" * 5_000_000, "it has 10,000,001 characters"),
        ("🙂🙂", "it has no letter or digit"),
        ("---", "it has no letter or digit"),
        ("a\nb", "it holds a control character"),
        ("a\u202eb", "it holds a character that turns the direction of text"),
        ("a\u2066b", "it holds a character that turns the direction of text"),
        ("a\0", "it holds a control character"),
        ("a\u2028b", "it holds a control character"),
        ("a\ud800", "it holds a control character"),
        ("a/b", "it holds one of / \\ ~ @"),
        ("a\\b", "it holds one of / \\ ~ @"),
        ("a~b", "it holds one of / \\ ~ @"),
        ("a@b", "it holds one of / \\ ~ @"),
        (".a", "it begins with a dot or holds '..'"),
        ("a..b", "it begins with a dot or holds '..'"),
        (" a", "it begins or ends with a space"),
        ("a\u00a0", "it begins or ends with a space"),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_a_display_name_outside_the_grammar_is_refused_with_its_problem(name: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        validate_dataset_name(name)

    assert caught.value.code == "invalid_dataset_name"
    assert caught.value.message.endswith(f"is not a valid dataset name: {problem}")
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a'b", "'a'b'"),
        ("स्वर्ण", "'स्वर्ण'"),
        ("क्\u200dष", "'क्\u200dष'"),
        ("a\r\n\t\0", r"'a\r\n\t\x00'"),
        ("\x1b[31m", r"'\x1b[31m'"),
        ("\u202eevil", r"'\u202eevil'"),
        ("\ud800", r"'\ud800'"),
        ("x" * 61, f"'{'x' * 60}…' (61 characters)"),
    ],
)
def test_untrusted_text_cannot_disturb_a_message(value: str, expected: str) -> None:
    assert shown(value) == expected


def test_slugs_are_plain_path_segments_that_differ_where_names_differ() -> None:
    slugs = [slug(name) for name in ("Golden!", "golden", "स्वर्ण", "प्रश्न", "x" * 100)]

    assert len(set(slugs)) == 5
    assert all(validate_run_name(one) and len(one) <= 49 for one in slugs)
    assert slugs[1].startswith("golden-")


@pytest.mark.parametrize(("project", "partition"), [("default", "run-1"), ("hindi", "hindi~run-1")])
def test_a_partition_key_is_read_back_as_the_run_that_it_names(project: str, partition: str) -> None:
    key = RunKey.of(project=project, run="run-1")

    assert key.partition == partition
    assert RunKey.from_partition(partition) == key


@pytest.mark.parametrize("partition", ["", "~", "a~", "~b", "a~b~c", "../../evil", "a~../b", "a\n"])
def test_a_partition_key_that_names_no_run_is_refused(partition: str) -> None:
    with pytest.raises(UsageError):
        RunKey.from_partition(partition)


def test_a_run_of_the_default_project_has_only_one_partition() -> None:
    """A second spelling would be a second partition with the same data."""
    with pytest.raises(UsageError, match="not how run first is named"):
        RunKey.from_partition("default~first")
