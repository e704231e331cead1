"""``eval-pipeline standins``: local servers that speak the providers' protocols, for trying things out."""

import click


@click.command(
    name="standins",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Start the OpenAI, Gemini and Langfuse stand-ins and wait; --help lists the options."""
    from eval_pipeline.standins.main import main  # noqa: PLC0415 - a web server: only for this verb

    return main(arguments)
