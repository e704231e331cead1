"""The endpoints of a project: the built-in ones from its variables, others from its file, by name."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from eval_pipeline.core.endpoints import FrozenEndpoint
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.model_names import ModelName, split_model
from eval_pipeline.core.names import shown
from eval_pipeline.core.own_prices import OwnPrice
from eval_pipeline.core.protocols import BUILT_IN
from eval_pipeline.wiring.credentials import FORMER_KEY_VARIABLES, TITLES, URL_VARIABLES, Credentials
from eval_pipeline.wiring.endpoint import Endpoint, Key

NOT_CONFIGURED: Final = "endpoint_not_configured"


class Endpoints(Mapping[str, Endpoint]):
    """Whom a project can ask, the built-in ones first.

    Args:
        endpoints: all of them.
        file: where others than the built-in ones are written down; None: there is none.
    """

    def __init__(self, endpoints: Iterable[Endpoint], *, file: Path | None) -> None:
        self._by_name = {endpoint.name: endpoint for endpoint in endpoints}
        self.file = file

    def __getitem__(self, name: str) -> Endpoint:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def find(self, name: str) -> Endpoint:
        """Return an endpoint, or raise ``endpoint_not_configured``."""
        if name in self._by_name:
            return self._by_name[name]
        where = f"to {self.file}" if self.file else "to a file, and name that in EVAL_ENDPOINTS_FILE"
        raise UsageError(
            f"endpoint {shown(name)} is not configured here: there are {', '.join(self)}",
            code=NOT_CONFIGURED,
            hint=f"add it {where}",
        )

    def split(self, text: str) -> ModelName:
        """Read ``ENDPOINT/MODEL``, or an endpoint that is one assistant by its name alone."""
        if text in self._by_name and self._by_name[text].plan.is_one_model:
            return ModelName(text, text)
        return split_model(text, endpoints=self)

    def frozen(self, asked: Iterable[tuple[str, str]]) -> dict[str, FrozenEndpoint]:
        """Return the endpoints of a run as its specification keeps them.

        Args:
            asked: pairs of endpoint and model.
        """
        models: dict[str, list[str]] = {}
        for name, model in asked:
            models.setdefault(name, []).append(model)
        return {name: self.find(name).frozen(*asked_models) for name, asked_models in models.items()}


def endpoints_of_project(credentials: Credentials) -> Endpoints:
    """Return whom a project's variables and its file let it ask."""
    path = credentials.endpoints_file
    if path is None:
        return Endpoints((_built_in(name, credentials, {}) for name in BUILT_IN), file=None)
    from eval_pipeline.wiring.endpoints_file import read_endpoints_file  # noqa: PLC0415 - pydantic: where there is one
    from eval_pipeline.wiring.written_endpoints import written_endpoint  # noqa: PLC0415 - the same

    file = read_endpoints_file(path)
    built_in = [_built_in(name, credentials, file.prices.get(name, {})) for name in BUILT_IN]
    return Endpoints([*built_in, *(written_endpoint(name, credentials, file) for name in file.entries)], file=path)


def _built_in(name: str, credentials: Credentials, prices: Mapping[str, OwnPrice]) -> Endpoint:
    variable, url_variable = credentials.key_variables[name], URL_VARIABLES[name]
    value = credentials.api_keys.get(name)
    return Endpoint(
        name=name,
        protocol=BUILT_IN[name],
        title=TITLES[name],
        base_url=credentials.base_urls[name],
        url_words=url_variable,
        key=Key(
            value,
            variable,
            problem=f"{variable} is not set",
            remedy=f"set {variable} (any text will do for a server that checks none) and, if it is not "
            f"{TITLES[name]} itself, {url_variable}",
        ),
        former_keys=credentials.former_keys(FORMER_KEY_VARIABLES[name]),
        prices=prices,
    )
