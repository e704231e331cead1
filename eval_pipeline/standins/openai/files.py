"""``/v1/files``: upload, list, describe, download and delete files; contents never stand in memory whole."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from starlette.requests import Request

from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.downloads import download
from eval_pipeline.standins.faults import TRANSPORT_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.openai.bodies import InvalidBodyError, missing
from eval_pipeline.standins.openai.errors import no_such_file
from eval_pipeline.standins.openai.file_store import FileStore
from eval_pipeline.standins.openai.multipart import Form, receive_form
from eval_pipeline.standins.openai.pages import page
from eval_pipeline.standins.serving import Answering, Headers, Reception, Work, json_answer

FILE_FAULTS = {
    "files.create": TRANSPORT_FAULTS | {FaultKind.ACCEPTED_THEN_RESET},
    "files.list": TRANSPORT_FAULTS,
    "files.retrieve": TRANSPORT_FAULTS,
    "files.content": TRANSPORT_FAULTS | {FaultKind.SHORT, FaultKind.RESET_MIDWAY},
    "files.delete": TRANSPORT_FAULTS,
}
PURPOSE = "batch"
EXPIRY_S = range(3_600, 2_592_001)
_MAX_LISTED = 10_000


class Files:
    """The endpoints of the files."""

    def __init__(self, desk: Reception, store: FileStore) -> None:
        self._desk = desk
        self._store = store

    async def create(self, request: Request) -> Answer:
        """Take an upload."""
        async with self._received(request) as received:
            return await self._desk.serve(request, lambda: self._upload_work(*received))

    @asynccontextmanager
    async def _received(self, request: Request) -> AsyncIterator[tuple[Path, Form | InvalidBodyError]]:
        path = self._store.new_path()
        try:
            with path.open("wb") as file:
                try:
                    form: Form | InvalidBodyError = await receive_form(request, file)
                except InvalidBodyError as error:
                    form = error
            yield path, form
        finally:
            path.unlink(missing_ok=True)

    def _upload_work(self, path: Path, form: Form | InvalidBodyError) -> Work:
        if isinstance(form, InvalidBodyError):
            raise form
        if form.filename is None:
            raise missing("file")
        filename, purpose, expires_after_s = form.filename, _purpose(form.fields), _expiry(form.fields)

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            file = self._store.add(path, filename=filename, purpose=purpose, expires_after_s=expires_after_s)
            return json_answer(orjson.dumps(file.as_json()), headers, rule)

        return Work(endpoint="files.create", texts=[filename], answer=answer)

    async def list(self, request: Request) -> Answer:
        """List files, newest first unless asked otherwise."""
        return await self._desk.serve(request, lambda: self._list_work(request.query_params))

    def _list_work(self, query: Mapping[str, str]) -> Work:
        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            files = self._store.newest_first()
            if query.get("order") == "asc":
                files.reverse()
            wanted = [file for file in files if query.get("purpose") in (None, file.purpose)]
            document = page([file.as_json() for file in wanted], query, most=_MAX_LISTED, usual=_MAX_LISTED)
            return json_answer(orjson.dumps(document), headers, rule)

        return Work(endpoint="files.list", texts=[query.get("purpose", "")], answer=answer)

    async def retrieve(self, request: Request) -> Answer:
        """Describe a file."""
        return await self._desk.serve(request, lambda: self._retrieve_work(request.path_params["id"]))

    def _retrieve_work(self, file_id: str) -> Work:
        file = self._store[file_id]

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            return json_answer(orjson.dumps(file.as_json()), headers, rule)

        return self._work("files.retrieve", file_id, answer)

    async def content(self, request: Request) -> Answer:
        """Send the contents of a file."""
        return await self._desk.serve(request, lambda: self._content_work(request.path_params["id"]))

    def _content_work(self, file_id: str) -> Work:
        file, path = self._store[file_id], self._store.path(file_id)

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            return download(path, file.size_bytes, headers, None if rule is None else rule.kind)

        return self._work("files.content", file_id, answer)

    async def delete(self, request: Request) -> Answer:
        """Delete a file."""
        return await self._desk.serve(request, lambda: self._delete_work(request.path_params["id"]))

    def _delete_work(self, file_id: str) -> Work:
        self._store[file_id]

        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            self._store.remove(file_id)
            document = {"id": file_id, "object": "file", "deleted": True}
            return json_answer(orjson.dumps(document), headers, rule)

        return self._work("files.delete", file_id, answer)

    def _work(self, endpoint: str, file_id: str, answer: Answering) -> Work:
        texts = [file_id, self._store[file_id].filename]
        return Work(endpoint=endpoint, texts=texts, answer=answer, not_found=no_such_file(file_id))


def _purpose(fields: Mapping[str, str]) -> str:
    purpose = fields.get("purpose")
    if not purpose:
        raise missing("purpose")
    if purpose != PURPOSE:
        message = f"'{purpose}' is not one of ['{PURPOSE}'] - 'purpose'"
        raise InvalidBodyError(message, param="purpose", code="invalid_value")
    return purpose


def _expiry(fields: Mapping[str, str]) -> int | None:
    given = fields.get("expires_after[seconds]")
    if given is None:
        return None
    if not given.isdecimal() or int(given) not in EXPIRY_S:
        message = f"Invalid 'expires_after.seconds': expected {EXPIRY_S.start} to {EXPIRY_S.stop - 1}, not {given!r}."
        raise InvalidBodyError(message, param="expires_after", code="invalid_value")
    return int(given)
