"""Gemini's Files API: clips that requests name, request files of batches. The resumable protocol, in its two calls.

google-genai's ``files.upload`` sends pieces of 8 MB, a call each, and repeats them unasked; here a file is one stream.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from eval_pipeline.core.batches import BatchCallError, CallFault
from eval_pipeline.core.documents import Json
from eval_pipeline.core.ports.file_host import HostedFile, HostedState
from eval_pipeline.core.secrets import holds_secret
from eval_pipeline.providers.batch_calls import NAME_REPEATS_KEY
from eval_pipeline.providers.gemini.account import GeminiAccount
from eval_pipeline.providers.gemini.calls import GeminiCalls
from eval_pipeline.providers.gemini.fields import part_of, text_in
from eval_pipeline.providers.words import cut

_PIECE_BYTES = 256 * 1024
_NAME_CHARACTERS = 512
_STATES: Final = {"PROCESSING": HostedState.PROCESSING, "ACTIVE": HostedState.ACTIVE, "FAILED": HostedState.FAILED}


class GeminiFiles:
    """The files of one account, which Google keeps for 48 hours.

    Args:
        api_key: sent in a header; never shown.
        base_url: such as ``https://generativelanguage.googleapis.com``.
        timeout_s: for one call.
        transfer_timeout_s: between two pieces of a file on its way.
        key_words: what gives the key, for messages.
        url_words: what gives the address.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str,
        timeout_s: float = 60.0,
        transfer_timeout_s: float = 600.0,
        key_words: str = "GEMINI_API_KEY",
        url_words: str = "GOOGLE_GEMINI_BASE_URL",
    ) -> None:
        account = GeminiAccount(api_key, base_url)
        self._calls = GeminiCalls(
            account,
            timeout_s=timeout_s,
            transfer_timeout_s=transfer_timeout_s,
            key_words=key_words,
            url_words=url_words,
        )

    def __repr__(self) -> str:
        return f"GeminiFiles(base_url={self._calls.account.base_url!r})"

    @property
    def account(self) -> str:
        """Digest of base URL and key: files of one account do not exist for another."""
        return self._calls.account.digest

    def upload(self, path: Path, *, name: str, mime_type: str) -> HostedFile:
        """Upload a file, streamed."""
        return upload(self._calls, path, name=name, mime_type=mime_type)

    def look(self, name: str) -> HostedFile:
        """Look a file up."""
        what = f"a look at {name}"
        return _hosted(self._calls, what, self._calls.document(what, "GET", self._calls.account.url(quote(name))))

    def delete(self, name: str) -> None:
        """Delete a file; one that is gone is no error."""
        delete(self._calls, name)

    def close(self) -> None:
        """Let connections go."""
        self._calls.close()


def upload(calls: GeminiCalls, path: Path, *, name: str, mime_type: str) -> HostedFile:
    """Announce a file, then send it to the address that the server named."""
    what = f"the upload of '{name}'"
    size_bytes = path.stat().st_size
    announced = calls.send(
        what,
        "POST",
        calls.account.upload_url,
        body={"file": {"displayName": name[:_NAME_CHARACTERS], "mimeType": mime_type}},
        headers={
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(size_bytes),
            "X-Goog-Upload-Header-Content-Type": mime_type,
        },
    )
    target = announced.headers.get("x-goog-upload-url")
    if not target:
        calls.fail(what, CallFault.AMBIGUOUS, "the server named no address to upload to")
    sent = calls.send(
        what,
        "POST",
        calls.account.at_home(target),
        content=_pieces(path),
        headers={
            "X-Goog-Upload-Command": "upload, finalize",
            "X-Goog-Upload-Offset": "0",
            "Content-Length": str(size_bytes),
            "Content-Type": mime_type,
        },
    )
    if sent.headers.get("x-goog-upload-status", "final") != "final":
        calls.fail(what, CallFault.AMBIGUOUS, "the server took only part of the file")
    return _hosted(calls, what, calls.object_in(what, sent))


def delete(calls: GeminiCalls, name: str) -> None:
    """Delete a file; one that is gone is no error."""
    try:
        calls.send(f"the deletion of {name}", "DELETE", calls.account.url(quote(name)))
    except BatchCallError as error:
        if error.fault is not CallFault.GONE:
            raise


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _hosted(calls: GeminiCalls, what: str, document: Json) -> HostedFile:
    """Read a File object leniently; one without a state is ready, as servers without processing answer."""
    file = part_of(document, "file") or document
    name = text_in(file, "name")
    if name is None:
        calls.fail(what, CallFault.AMBIGUOUS, "an answer that is no file")
    uri = text_in(file, "uri") or calls.account.url(name)
    if holds_secret(name) or holds_secret(uri):
        calls.fail(what, CallFault.REFUSED, NAME_REPEATS_KEY)
    state = (text_in(file, "state") or "ACTIVE").upper()
    said = text_in(part_of(file, "error"), "message")
    return HostedFile(
        name=name,
        uri=uri,
        state=_STATES.get(state, HostedState.PROCESSING),
        expires_at=read_moment(text_in(file, "expirationTime")),
        problem=None if said is None else cut(said),
    )


def read_moment(text: str | None) -> datetime | None:
    """Read a time of the API (RFC 3339, up to nanoseconds); None when it is none."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
