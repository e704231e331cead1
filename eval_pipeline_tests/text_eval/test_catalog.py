import hashlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from eval_pipeline.core.datasets import DatasetKind, DatasetVersion, SkippedRow
from eval_pipeline.core.errors import ConflictError, NotFoundError, UnavailableError, UsageError
from eval_pipeline.core.names import slug
from eval_pipeline.runs.dataset_adding import AddedDataset
from eval_pipeline.storage.ledger import SqlLedger, open_sqlite_ledger
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.text_eval.catalog import add_dataset
from eval_pipeline.text_eval.golden.row import GoldenRow
from eval_pipeline.text_eval.golden_store import golden_rows
from eval_pipeline.wiring.settings import Settings

SETTINGS = Settings.from_environment({})
CSV = "id,question,answer,category\r\n1,भारत?,दिल्ली,geo\r\n2,,blank,geo\r\n3,भारत?,again,\r\n"


class Catalog:
    """A ledger and a store in a temporary folder, and files to add to them."""

    def __init__(self, folder: Path, ledger: SqlLedger) -> None:
        self.folder = folder
        self.ledger = ledger
        self.store = folder / "store"
        self.objects = LocalObjectStore(self.store)

    def file(self, content: str | bytes = CSV, name: str = "golden.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def add(
        self,
        path: Path,
        *,
        name: str = "golden",
        project: str = "default",
        factor: int | None = None,
        description: str | None = None,
    ) -> AddedDataset:
        return add_dataset(
            ledger=self.ledger,
            objects=self.objects,
            project=project,
            name=name,
            path=path,
            duplication_factor=factor,
            description=description,
            settings=SETTINGS,
        )

    def stored(self) -> list[str]:
        return [key.rpartition("/")[2] for key in self.objects.list("datasets")]

    def versions(self, name: str = "golden") -> int:
        return len(self.ledger.dataset_versions(project="default", name=name))


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    ledger = open_sqlite_ledger(tmp_path / "ledger.sqlite")
    yield Catalog(tmp_path, ledger)
    ledger.close()


def test_a_file_becomes_a_version_that_tells_everything_about_it(catalog: Catalog) -> None:
    added = catalog.add(catalog.file(), name="स्वर्ण प्रश्न", factor=3, description="capitals")
    version = hashlib.sha256(CSV.encode()).hexdigest()

    assert added.created
    assert added.dataset == DatasetVersion(
        project="default",
        name="स्वर्ण प्रश्न",
        version=version,
        kind=DatasetKind.TEXT,
        original_items_count=2,
        duplication_factor=3,
        encoding="utf-8",
        size_bytes=len(CSV.encode()),
        skipped_rows_count=1,
        skipped_rows=(SkippedRow(line=3, reason="blank question"),),
        warnings=("1 question occurs more than once: lines 2 and 4",),
        prefix=f"datasets/default/{slug('स्वर्ण प्रश्न')}/{version}",
        description="capitals",
        created_at=added.dataset.created_at,
    )
    assert catalog.ledger.find_dataset(project="default", name="स्वर्ण प्रश्न") == added.dataset


def test_the_original_bytes_and_the_rows_are_kept(catalog: Catalog) -> None:
    dataset = catalog.add(catalog.file()).dataset

    assert catalog.objects.read(f"{dataset.prefix}/original.csv") == CSV.encode()
    assert list(golden_rows(catalog.objects, dataset)) == [
        GoldenRow(line=2, question="भारत?", answer="दिल्ली", category="geo", metadata={"id": "1"}, id="1"),
        GoldenRow(line=4, question="भारत?", answer="again", category=None, metadata={"id": "3"}, id="3"),
    ]


def test_json_lines_are_told_by_the_name_of_the_file_that_was_given(catalog: Catalog) -> None:
    dataset = catalog.add(catalog.file('oops\n{"question": "q", "answer": "a"}\n', name="golden.jsonl")).dataset

    assert [(row.line, row.answer) for row in golden_rows(catalog.objects, dataset)] == [(2, "a")]
    assert catalog.objects.read(f"{dataset.prefix}/original.jsonl").startswith(b"oops")


def test_a_pipe_can_be_added(catalog: Catalog) -> None:
    pipe = catalog.folder / "pipe"
    subprocess.run(["mkfifo", str(pipe)], check=True)
    writer = threading.Thread(target=pipe.write_text, args=(CSV,), kwargs={"newline": ""})
    writer.start()
    added = catalog.add(pipe)
    writer.join()

    assert added.dataset.version == hashlib.sha256(CSV.encode()).hexdigest()


def test_the_same_bytes_under_the_same_name_are_the_same_version(catalog: Catalog) -> None:
    first = catalog.add(catalog.file(), factor=2, description="first")
    again = catalog.add(catalog.file(name="other.csv"), description="second")

    assert again == AddedDataset(first.dataset, created=False)
    assert catalog.versions() == 1


def test_new_bytes_under_an_old_name_are_a_new_version_and_the_old_one_stays(catalog: Catalog) -> None:
    old = catalog.add(catalog.file()).dataset
    new = catalog.add(catalog.file(f"{CSV}4,new,5,\r\n")).dataset

    assert catalog.ledger.find_dataset(project="default", name="golden") == new
    assert [len(list(golden_rows(catalog.objects, dataset))) for dataset in (old, new)] == [2, 3]


def test_one_version_has_one_duplication_factor(catalog: Catalog) -> None:
    catalog.add(catalog.file(), factor=2)

    with pytest.raises(ConflictError) as caught:
        catalog.add(catalog.file(), factor=3)
    assert caught.value.code == "dataset_already_exists"
    assert "with duplication factor 2, not 3" in caught.value.message
    assert "--repeats" in caught.value.hint
    assert catalog.add(catalog.file(), name="other", factor=3).created


@pytest.mark.parametrize("factor", [0, -1, 6, 10**9])
def test_a_duplication_factor_beyond_the_setting_is_refused(catalog: Catalog, factor: int) -> None:
    with pytest.raises(UsageError) as caught:
        catalog.add(catalog.file(), factor=factor)

    assert caught.value.code == "invalid_duplication_factor"
    assert caught.value.message.endswith("is not between 1 and 5")


@pytest.mark.parametrize("name", ["a/b", "..", "a\nb", "x" * 10_000, "🙂", ""])
def test_names_are_checked_before_anything_is_read(catalog: Catalog, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        catalog.add(catalog.folder / "missing.csv", name=name)

    assert caught.value.code == "invalid_dataset_name"


def test_speech_datasets_and_strange_projects_are_refused(catalog: Catalog) -> None:
    for change, code in (({"project": "../x"}, "invalid_project"),):
        with pytest.raises(UsageError) as caught:
            catalog.add(catalog.file(), **change)  # type: ignore[arg-type]  # one keyword of two types
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "reason"), [("missing.csv", "No such file"), (".", "it is a folder"), ("a\0b", "embedded null byte")]
)
def test_a_file_that_cannot_be_read_is_told(catalog: Catalog, name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        catalog.add(catalog.folder / name)

    assert caught.value.code == "file_unreadable"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"question,answer\n", "it has a header and no rows"),
        (b"question,answer\n,a\nq\n", "none of its 2 rows is usable (line 2: blank question; line 3: 1 cell where "),
        (b"question,answer\nq,a\n" * 20_000 + b'"open', "opens a quote and does not close it"),
        (b"PK\x03\x04", "it looks like a ZIP archive"),
    ],
    ids=["empty", "header only", "no usable row", "late quote", "zip"],
)
def test_a_file_that_cannot_be_used_leaves_nothing_behind(catalog: Catalog, content: bytes, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        catalog.add(catalog.file(content))

    assert caught.value.code == "invalid_dataset"
    assert message in caught.value.message
    assert catalog.stored() == []
    with pytest.raises(NotFoundError):
        catalog.ledger.find_dataset(project="default", name="golden")


class DyingStore(LocalObjectStore):
    """A store whose process ends just before it stores the n-th object."""

    def __init__(self, root: Path, *, lives: int) -> None:
        super().__init__(root)
        self.lives = lives

    def put_file(self, key: str, path: Path) -> None:
        self._live()
        super().put_file(key, path)

    def create(self, key: str, data: bytes) -> None:
        self._live()
        super().create(key, data)

    def _live(self) -> None:
        if not self.lives:
            raise KeyboardInterrupt
        self.lives -= 1


@pytest.mark.parametrize("lives", [0, 1, 2])
def test_a_death_in_the_middle_leaves_nothing_visible_and_adding_again_completes_it(
    catalog: Catalog, lives: int
) -> None:
    catalog.objects = DyingStore(catalog.store, lives=lives)
    with pytest.raises(KeyboardInterrupt):
        catalog.add(catalog.file())
    assert "manifest.json" not in catalog.stored()

    catalog.objects = LocalObjectStore(catalog.store)
    added = catalog.add(catalog.file())

    assert added.created
    assert len(list(golden_rows(catalog.objects, added.dataset))) == 2


def test_what_was_stored_before_the_ledger_was_told_is_used_as_it_is(catalog: Catalog) -> None:
    dataset = catalog.add(catalog.file()).dataset
    catalog.ledger.delete_dataset(project="default", name="golden", version=None)
    before = {key: catalog.objects.read(key) for key in catalog.objects.list("datasets")}

    again = catalog.add(catalog.file(), factor=4)

    assert again.created
    assert (again.dataset.prefix, again.dataset.duplication_factor) == (dataset.prefix, 4)
    assert {key: catalog.objects.read(key) for key in catalog.objects.list("datasets")} == before


class OvertakenStore(LocalObjectStore):
    """A store in which another process publishes the same version a moment earlier."""

    def create(self, key: str, data: bytes) -> None:
        theirs = orjson.loads(data) | {"warnings": ["theirs"]}
        super().create(key, orjson.dumps(theirs))
        super().create(key, data)


def test_of_two_processes_that_store_the_same_bytes_the_first_manifest_holds(catalog: Catalog) -> None:
    catalog.objects = OvertakenStore(catalog.store)

    assert catalog.add(catalog.file()).dataset.warnings == ("theirs",)


def flip(catalog: Catalog, prefix: str, end: str) -> str:
    (key,) = (key for key in catalog.objects.list(prefix) if key.endswith(end))
    catalog.objects.put(key, catalog.objects.read(key)[:-1] + b"?")
    return key


def test_rows_whose_bytes_changed_are_made_again_from_the_original(catalog: Catalog) -> None:
    dataset = catalog.add(catalog.file()).dataset
    before = list(golden_rows(catalog.objects, dataset))
    key = flip(catalog, dataset.prefix, ".parquet")

    assert list(golden_rows(catalog.objects, dataset)) == before
    catalog.objects.delete(key)
    assert list(golden_rows(catalog.objects, dataset)) == before


def test_rows_whose_bytes_changed_are_not_read_where_the_original_did_so_too(catalog: Catalog) -> None:
    dataset = catalog.add(catalog.file()).dataset
    flip(catalog, dataset.prefix, ".parquet")
    flip(catalog, dataset.prefix, "original.csv")

    with pytest.raises(ConflictError) as caught:
        next(golden_rows(catalog.objects, dataset))
    assert caught.value.code == "dataset_damaged"


def test_a_version_that_is_not_in_this_store_is_told(catalog: Catalog) -> None:
    dataset = catalog.add(catalog.file()).dataset

    with pytest.raises(NotFoundError) as caught:
        next(golden_rows(LocalObjectStore(catalog.folder / "elsewhere"), dataset))
    assert caught.value.code == "dataset_missing"


def test_a_form_that_this_version_does_not_know_is_told(catalog: Catalog) -> None:
    dataset = catalog.add(catalog.file()).dataset
    key = f"{dataset.prefix}/manifest.json"
    catalog.objects.put(key, orjson.dumps(orjson.loads(catalog.objects.read(key)) | {"schema_version": 3}))

    with pytest.raises(ConflictError, match="stored in form 3, this version reads form 1 and 2"):
        next(golden_rows(catalog.objects, dataset))


def test_a_temporary_folder_that_cannot_be_written_is_told(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(catalog.folder / "missing"))

    with pytest.raises(UnavailableError) as caught:
        catalog.add(catalog.file())
    assert caught.value.code == "temporary_folder_failed"


def test_a_few_very_long_texts_are_stored_as_well(catalog: Catalog) -> None:
    rows = "".join(f"{'q' * 1_000_000} {number},a\n" for number in range(12))
    dataset = catalog.add(catalog.file(f"question,answer\n{rows}")).dataset

    assert [row.question[-2:].strip() for row in golden_rows(catalog.objects, dataset)] == [*map(str, range(12))]


ADD_SMALL_THEN_LARGE = """
import resource, sys
from pathlib import Path
from eval_pipeline.core.datasets import DatasetKind
from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.text_eval.catalog import add_dataset
from eval_pipeline.text_eval.golden_store import golden_rows
from eval_pipeline.wiring.settings import Settings

class Forgetful:
    def find_dataset(self, **_): raise NotFoundError("", code="", hint="")
    def add_dataset(self, dataset): return dataset

objects = LocalObjectStore(Path(sys.argv[1]))
for path in sys.argv[2:]:
    added = add_dataset(
        ledger=Forgetful(), objects=objects, project="default", name="n", path=Path(path),
        duplication_factor=None, description=None, settings=Settings.from_environment({}),
    )
    rows = sum(1 for _ in golden_rows(objects, added.dataset))
    print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
print("pandas" in sys.modules)
"""


def test_memory_does_not_grow_with_the_file(catalog: Catalog) -> None:
    row = '{0},"How many ducks, rivers and prices has question {0}?\nAnd why?",{0} of them,web\n'
    paths = [
        catalog.file("id,question,answer,source\n" + "".join(map(row.format, range(rows))), name=f"{rows}.csv")
        for rows in (20_000, 120_000)
    ]
    command = [sys.executable, "-c", ADD_SMALL_THEN_LARGE, str(catalog.store), *map(str, paths)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    small_rows, small_mb, large_rows, large_mb, imports_pandas = output.split()

    assert (small_rows, large_rows) == ("20000", "120000")
    assert int(large_mb) - int(small_mb) < 50  # the rows alone are 120 MB as objects
    assert imports_pandas == "False"
