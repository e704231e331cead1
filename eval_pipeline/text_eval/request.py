"""What a person may set of a text run, a field each: file, form, command line and documentation come from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from eval_pipeline.core.configuration import invalid_config, read_given
from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import shown
from eval_pipeline.core.options import (
    CONCURRENCY,
    FAILURE_THRESHOLD,
    MAX_COST_USD,
    OTHER_MODE_WORDS,
    OptionKind,
    RunOption,
)
from eval_pipeline.core.runs import RunMode


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequest:
    """What a person asks for, before it is checked against datasets and settings; None means the default."""

    dataset: Annotated[
        str,
        RunOption(
            metavar="NAME[@VERSION]",
            help="Golden dataset; its newest version, or the one named.",
            form="Golden dataset: NAME, or NAME@VERSION (first 8 characters of it).",
            page="Golden dataset: `NAME` for its newest version, or `NAME@VERSION` (the first characters of it).",
            unset="required",
        ),
    ]
    mode: Annotated[
        RunMode,
        RunOption(
            also=OTHER_MODE_WORDS,
            help="batch (default): at half price, within a day. fast: live calls, for small datasets; the default of "
            "an endpoint without batches.",
            form="batch: at half price, within a day. fast: live calls, for small datasets.",
            page="`batch`: at half price, within a day, any size. `fast`: live calls, for small datasets; of an "
            "endpoint without batches for any.",
            unset="`batch`; at an endpoint without batches, `fast`",
        ),
    ] = RunMode.BATCH
    provider: Annotated[
        str | None,
        RunOption(
            metavar="NAME",
            help="Endpoint of the model, where its name does not say it: openai (default; OPENAI_BASE_URL), gemini, "
            "or one of the endpoints file.",
            form="Endpoint of the model, where its name does not say it: openai, gemini, or one of the endpoints file.",
            page="Endpoint that the model is asked at, where its name does not say it: `openai`, `gemini`, or one of "
            "the [endpoints file](endpoints.md). With it, the model's name is taken as it stands, slashes included.",
            unset="what `model` names before its slash; else `openai`",
        ),
    ] = None
    answers: Annotated[
        str | None,
        RunOption(
            metavar="FILE",
            help="Answers that exist already (.csv, .jsonl, .xlsx), by id or question: nobody is asked.",
            form="File of answers that exist already, where this code runs: nobody is asked.",
            page="File of answers that exist already (CSV, JSON Lines, `.xlsx`), matched by `id` or `question`: "
            "nobody is asked, nothing is paid ([recorded answers](text-evaluation.md#recorded-answers)). The run keeps "
            "a copy.",
            unset="a model is asked, unless the dataset has a column `model_answer` and no model is named",
        ),
    ] = None
    answers_sheet: Annotated[
        str | None,
        RunOption(
            metavar="NAME",
            help="Of a workbook of answers with several sheets that could be meant.",
            form="Sheet of the workbook of answers, where several could be meant.",
            page="Sheet of a workbook of answers, where several could be meant.",
            unset="the only visible sheet that has the columns",
        ),
    ] = None
    model: Annotated[
        str | None,
        RunOption(
            metavar="[ENDPOINT/]NAME",
            help="Model under test; default gpt-4o-mini, or gemini-2.5-flash.",
            form="Model under test: NAME, or ENDPOINT/NAME such as gemini/gemini-2.5-flash.",
            page="Model under test: `NAME`, or `ENDPOINT/NAME` such as `gemini/gemini-2.5-flash` "
            "([endpoints](endpoints.md)).",
            unset="`gpt-4o-mini`; of Gemini, `gemini-2.5-flash`",
        ),
    ] = None
    instructions: Annotated[
        str | None,
        RunOption(
            metavar="TEXT",
            help="System prompt of the assistant under test.",
            page="System prompt of the assistant under test.",
            unset="none",
        ),
    ] = None
    model_body: Annotated[
        Json | None,
        RunOption(
            kind=OptionKind.MAPPING,
            flag="",
            form="Anything else that a request takes, as in the Responses API: temperature, tools, …",
            page="Anything else that a request of the Responses API takes: `temperature`, `max_output_tokens`, "
            "`tools`, … For chat completions it is [translated](ollama-and-vllm.md#what-becomes-of-model_body). "
            "For Gemini `temperature`, `top_p`, `max_output_tokens`, and fields of its own "
            "request such as `generationConfig`. Not `input`, `stream` or `background`. `model` and "
            "`instructions` win over what stands here.",
            unset="empty",
        ),
    ] = None
    embedding_model: Annotated[
        str | None,
        RunOption(
            metavar="[ENDPOINT/]NAME",
            help="Default text-embedding-3-large, or gemini-embedding-001; any other as ENDPOINT/NAME.",
            form="Default text-embedding-3-large, or gemini-embedding-001; any other as ENDPOINT/NAME.",
            page="`text-embedding-3-large`, `text-embedding-3-small`, `text-embedding-ada-002` or "
            "`gemini-embedding-001`; whose name it is, is asked. Any other model as `ENDPOINT/NAME`.",
            unset="`text-embedding-3-large`; with `provider: gemini`, `gemini-embedding-001`",
        ),
    ] = None
    embedding_dimensions: Annotated[
        int | None,
        RunOption(
            metavar="N",
            help="Shorter vectors, where the model offers them.",
            page="Shorter vectors, up to the model's own width; `text-embedding-ada-002` offers none.",
            unset="the model's own width",
        ),
    ] = None
    scorers: Annotated[
        Sequence[str | Json],
        RunOption(
            kind=OptionKind.VALUES,
            flag="scorer",
            metavar="NAME",
            help="cosine_similarity (default), exact_match, contains, regex:PATTERN, numeric, token_f1, "
            "chrf; repeatable.",
            form="cosine_similarity (default), exact_match, contains, regex:…, numeric, token_f1, chrf.",
            page="List of scorers, see below.",
            unset="`[cosine_similarity]`",
        ),
    ] = ()
    repeats: Annotated[
        int | None,
        RunOption(
            metavar="N",
            help="How often each question is asked; default: the dataset's factor.",
            form="How often each question is asked; default: the dataset's.",
            page="How often each question is asked; 1 to `EVAL_MAX_DUPLICATION_FACTOR`.",
            unset="the dataset's duplication factor",
        ),
    ] = None
    concurrency: Annotated[int | None, CONCURRENCY] = None
    failure_threshold: Annotated[float | None, FAILURE_THRESHOLD] = None
    max_cost_usd: Annotated[float | None, MAX_COST_USD] = None

    @classmethod
    def from_mapping(cls, values: Json) -> Self:
        """Read a configuration file or form; an unknown key is an error, not ignored."""
        given = read_given(cls, values)
        if "scorers" in given:
            given["scorers"] = _scorer_list(given["scorers"])
        return cls(**given)


def _scorer_list(value: object) -> tuple[str | Json, ...]:
    if isinstance(value, str | Mapping):
        return (value,)
    if isinstance(value, Sequence):
        return tuple(value)
    raise invalid_config(
        f"scorers is {shown(str(value))}, not a list", "give a list such as [cosine_similarity, numeric]"
    )
