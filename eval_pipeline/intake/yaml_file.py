"""YAML as people write it, read in time and memory that grow with the file and with nothing else.

A few hundred bytes of anchors that name each other can stand for gigabytes, and the reader's own errors for odd tags
are of a dozen kinds.
"""

from typing import Final

MOST_VALUES: Final = 100_000
"""That a file may stand for, aliases written out."""


class UnreadableYamlError(Exception):
    """Text that is no YAML, with the line where it is known."""

    def __init__(self, why: str, *, line: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


def read_yaml(data: bytes, *, unique_keys: bool = False) -> object:
    """Return what one YAML document says, of plain values alone.

    Args:
        data: as it was handed in.
        unique_keys: whether a key that is there twice is an error; else the last one counts.
    """
    import yaml  # noqa: PLC0415 - only where a file is given

    try:
        loader = yaml.SafeLoader(data.decode("utf-8-sig"))
        root = loader.get_single_node()
        if root is None:
            return None
        if _values(root, known={}) > MOST_VALUES:
            raise UnreadableYamlError(f"its anchors (& and *) stand for more than {MOST_VALUES:,} values")
        if unique_keys:
            _refuse_repeated(root, seen=set())
        return loader.construct_document(root)
    except UnicodeDecodeError:
        raise UnreadableYamlError("it is no UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise UnreadableYamlError("it is not YAML", line=None if mark is None else mark.line + 1) from None
    except RecursionError:
        raise UnreadableYamlError("it holds brackets in brackets without end, or an anchor that holds itself") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # a date that no calendar has, `!!timestamp x`, `!!int` of words, a list as a key
        raise UnreadableYamlError(f"a value in it is not what its form says ({type(error).__name__})") from None


def _values(node: object, *, known: dict[int, int]) -> int:
    """Count the values of a node with its aliases written out; the same node is looked at once."""
    counted = known.get(id(node))
    if counted is None:
        inner = getattr(node, "value", None)
        parts = inner if isinstance(inner, list) else []
        flat = [part for entry in parts for part in (entry if isinstance(entry, tuple) else (entry,))]
        counted = known[id(node)] = 1 + sum(_values(part, known=known) for part in flat)
    return counted


def _refuse_repeated(node: object, *, seen: set[int]) -> None:
    """Raise for a mapping that names a key twice: a reader would drop one of them without a word."""
    inner = getattr(node, "value", None)
    if id(node) in seen or not isinstance(inner, list):
        return
    seen.add(id(node))
    keys: set[str] = set()
    for entry in inner:
        if not isinstance(entry, tuple):
            _refuse_repeated(entry, seen=seen)
            continue
        key, value = entry
        if isinstance(key.value, str) and key.value in keys and key.value != "<<":
            raise UnreadableYamlError(f"{key.value!r} is there twice", line=key.start_mark.line + 1)
        keys.add(str(key.value))
        _refuse_repeated(value, seen=seen)
