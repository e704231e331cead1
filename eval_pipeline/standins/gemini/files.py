"""``/v1/files``: list, describe, download and delete files."""

from collections.abc import Mapping

import orjson
from starlette.requests import Request

from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.downloads import download
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.gemini.errors import HTTP_FAULTS, invalid, no_such_file
from eval_pipeline.standins.gemini.file_store import GeminiFile, GeminiFileStore
from eval_pipeline.standins.gemini.pages import page
from eval_pipeline.standins.serving import Answering, Headers, Reception, Work, json_answer

FILE_FAULTS = {
    "files.get": TRANSPORT_FAULTS | HTTP_FAULTS,
    "files.list": TRANSPORT_FAULTS | HTTP_FAULTS,
    "files.delete": TRANSPORT_FAULTS | HTTP_FAULTS,
    "files.download": TRANSPORT_FAULTS | HTTP_FAULTS | {FaultKind.SHORT, FaultKind.RESET_MIDWAY},
}


class GeminiFiles:
    """The endpoints of the files."""

    def __init__(self, desk: Reception, store: GeminiFileStore) -> None:
        self._desk = desk
        self._store = store

    async def list(self, request: Request) -> Answer:
        """List files, newest first."""
        return await self._desk.serve(request, lambda: self._list_work(request.query_params, _base(request)))

    def _list_work(self, query: Mapping[str, str], base_url: str) -> Work:
        found = page(self._store.newest_first(), query)

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            shown = [self._seen(file).as_json(base_url) for file in found.entries]
            return json_answer(orjson.dumps(found.document("files", shown)), headers, rule)

        return Work(endpoint="files.list", texts=[""], answer=answer)

    async def get(self, request: Request) -> Answer:
        """Describe a file."""
        return await self._desk.serve(request, lambda: self._get_work(request.path_params["id"], _base(request)))

    def _get_work(self, file_id: str, base_url: str) -> Work:
        file = self._store[file_id]

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            return json_answer(orjson.dumps(self._seen(file).as_json(base_url)), headers, rule)

        return self._work("files.get", file_id, answer)

    async def download(self, request: Request) -> Answer:
        """Send the contents of a generated file."""
        query = request.query_params
        return await self._desk.serve(request, lambda: self._download_work(request.path_params["id"], query))

    def _download_work(self, file_id: str, query: Mapping[str, str]) -> Work:
        file = self._store[file_id]
        if not file.generated:
            raise invalid(f"The File {file_id} was uploaded: only generated files can be downloaded.")
        if query.get("alt") != "media":
            raise invalid("Downloads need the parameter alt=media.")
        path = self._store.path(file_id)

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            return download(path, file.size_bytes, headers, None if rule is None else rule.kind)

        return self._work("files.download", file_id, answer)

    async def delete(self, request: Request) -> Answer:
        """Delete a file."""
        return await self._desk.serve(request, lambda: self._delete_work(request.path_params["id"]))

    def _delete_work(self, file_id: str) -> Work:
        self._store[file_id]

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            self._store.remove(file_id)
            return json_answer(b"{}", headers, rule)

        return self._work("files.delete", file_id, answer)

    def _seen(self, file: GeminiFile) -> GeminiFile:
        file.looks += 1
        self._store.save(file)
        return file

    def _work(self, endpoint: str, file_id: str, answer: Answering) -> Work:
        texts = [file_id, self._store[file_id].display_name or ""]
        return Work(endpoint=endpoint, texts=texts, answer=answer, not_found=no_such_file(file_id))


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
