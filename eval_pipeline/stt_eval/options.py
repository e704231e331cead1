"""What a person may set of a speech run, each thing once: file, form, command line and documentation come from it."""

from eval_pipeline.core.options import CONCURRENCY, FAILURE_THRESHOLD, OptionKind, RunOption, config_file

OPTIONS = (
    RunOption(
        name="dataset",
        metavar="NAME[@VERSION]",
        default="",
        help="Audio dataset; its newest version, or the one named.",
        form="Audio dataset: NAME, or NAME@VERSION (first 8 characters of it).",
        page="Audio dataset: `NAME` for its newest version, or `NAME@VERSION`.",
        unset="required",
    ),
    RunOption(
        name="models",
        kind=OptionKind.TEXTS,
        flag="model",
        metavar="[ENDPOINT/]NAME",
        help="A model to compare: gemini-… is Gemini's, any other is asked over OpenAI's protocol; repeatable.",
        form="Models to compare, such as gemini-2.5-flash, openai/whisper-1; any name is taken.",
        page=(
            "List of the models to compare, at most 50: `NAME` or `ENDPOINT/NAME`. `gemini-…` is Gemini's, "
            "any other name is asked over OpenAI's protocol."
        ),
        unset="required",
    ),
    RunOption(
        name="mode",
        kind=OptionKind.WORD,
        choices=("batch", "live"),
        default="batch",
        help="batch (default): at half price, within two days; models without a batch API for audio are asked live.",
        form="batch: at half price, within two days. live: at once.",
        page=(
            "`batch`: at half price, within two days; models without a batch API for audio are asked live, "
            "and one at least must have it. `live`: live calls."
        ),
        unset="`batch`",
    ),
    RunOption(
        name="prompt",
        metavar="TEXT",
        help="What a model that takes instructions is told; {language} is a hint.",
        form="What a model that takes instructions is told; {language} becomes a hint.",
        page="What a model that takes instructions is told; `{language}` becomes a hint where one language is known.",
        unset="a prompt of ours, with a version",
    ),
    RunOption(
        name="language",
        metavar="CODE",
        help="BCP-47 code of samples that the dataset names none for.",
        page="BCP-47 code of samples that the dataset names none for.",
        unset="none",
    ),
    RunOption(
        name="audio_transport",
        choices=("files_api", "signed_url"),
        default="files_api",
        help="files_api (default): clips are uploaded. signed_url: the provider fetches them from the S3 store.",
        form="files_api: clips are uploaded to the provider. signed_url: it fetches them from the S3 store.",
        page=(
            "`files_api`: clips are uploaded to Gemini, and deleted when the run has collected. "
            "`signed_url`: Gemini fetches them from the S3 store. For batches."
        ),
        unset="`files_api`",
    ),
    RunOption(
        name="speaker_column",
        metavar="COLUMN",
        help="Column of the dataset that names who speaks: clips of one speaker count together in every interval.",
        form="Column of the dataset that names who speaks: clips of one speaker count together.",
        page=(
            "Column of the dataset that names who speaks. Clips of one speaker are alike, so they count "
            "together in every interval and test."
        ),
        unset="none: every clip stands for itself",
    ),
    config_file("Any of these settings; models is a list."),
    CONCURRENCY,
    FAILURE_THRESHOLD,
)
