"""A server that speaks the Files and Batches of the OpenAI protocol, and goes wrong as it is told; for tests alone.

What it executed is counted per item, so that a test can say what was paid for. A batch ends at its second look.
"""

import base64
import gzip
import json
import re
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WIDTH = 8
LOOKS = 2
_KEPT = ("files", "batches", "spoiled", "looks", "sent", "executed", "calls")
"""What a server knows of its past."""
_OPEN = ("validating", "in_progress", "finalizing")
_ENDS = {
    "expired": "expired",
    "expired_no_files": "expired",
    "cancelled_no_files": "cancelled",
    "cancelled_lines": "cancelled",
    "cancelled_lines_answered": "cancelled",
    "token_limit": "failed",
    "bad_line": "failed",
    "model_refused": "failed",
}
_NOTHING_DONE = frozenset({"expired_no_files", "cancelled_no_files", "token_limit", "bad_line", "model_refused"})
_REASONS: dict[str, dict[str, Any]] = {
    "token_limit": {"code": "token_limit_exceeded", "message": "Enqueued token limit reached", "line": None},
    "bad_line": {"code": "invalid_request", "message": "this line cannot be read", "line": 2},
    "model_refused": {"code": "model_not_found", "message": "the model does not exist", "line": None},
}


@dataclass
class BatchServer:
    """The state of the server; ``scenario`` spoils the first batch of answers, or the calls it names."""

    url: str = ""
    scenario: str | None = None
    spoils: str = "/v1/responses"
    times: int = 1
    ahead_s: float = 0.0
    """How far the provider's clock is ahead of ours."""
    key: str | None = None
    retry_after: str = "60"
    meets: dict[str, str] = field(default_factory=dict)
    """Which scenario the next batch meets whose first request has this id."""
    apart: bool = False
    """Whether every key opens an account of its own."""
    owners: dict[str, str] = field(default_factory=dict)
    """Whose files and batches are, by their ids."""
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    spoiled: dict[str, str | None] = field(default_factory=dict)
    looks: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    """How many batches were made of each item, whatever came of them."""
    executed: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    unlisted: set[str] = field(default_factory=set)
    """Batches that no answer shows yet."""
    when_listed: Callable[[], object] = lambda: None
    """Called when somebody asks for the list."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def begin_anew(self, scenario: str | None) -> None:
        """Forget everything."""
        with self.lock:
            self.scenario, self.times, self.ahead_s = scenario, 1, 0.0
            for name in _KEPT:
                getattr(self, name).clear()

    def copy(self) -> "BatchServer":
        """Return everything as it is now, which the server does not change any more."""
        with self.lock:
            return replace(self, **{name: deepcopy(getattr(self, name)) for name in _KEPT})

    def become(self, other: "BatchServer") -> None:
        """Go on from what was copied."""
        with self.lock:
            self.scenario, self.times, self.ahead_s = other.scenario, other.times, other.ahead_s
            for name in _KEPT:
                setattr(self, name, deepcopy(getattr(other, name)))

    def shows(self, thing: str, key: str) -> bool:
        """Tell whether a key opens the account of a file or batch."""
        return not self.apart or self.owners.get(thing.removeprefix("file-out-"), key) == key

    def strikes(self, scenario: str) -> bool:
        """Tell whether a call goes wrong now, so many times."""
        if self.scenario != scenario or self.times <= 0:
            return False
        self.times -= 1
        return True

    @property
    def loses_answers(self) -> bool:
        """Whether the first creation is made and not answered."""
        return self.scenario in {"create_accepted_dropped", "list_without_metadata", "bare_list", "nameless"}

    def keys(self) -> Counter[str]:
        """Count the batches of each submission key."""
        return Counter(batch["metadata"]["eval_pipeline_key"] for batch in self.batches.values())

    def create(self, given: dict[str, Any]) -> dict[str, Any]:
        """Make a batch."""
        batch_id = f"batch_{len(self.spoiled)}"
        others = [batch for batch in self.batches.values() if batch["endpoint"] == given["endpoint"]]
        first = given["endpoint"] == self.spoils and not others
        items = [line["custom_id"] for line in self._lines_of(given["input_file_id"])]
        self.sent.update(items)
        self.spoiled[batch_id] = self.meets.pop(items[0], self.scenario if first else None)
        self.batches[batch_id] = {
            "id": batch_id,
            "object": "batch",
            "endpoint": given["endpoint"],
            "input_file_id": given["input_file_id"],
            "completion_window": "24h",
            "status": "validating",
            "created_at": int(time.time() + self.ahead_s),
            "request_counts": None,
            "metadata": given.get("metadata"),
        }
        return self.batches[batch_id]

    def look(self, batch_id: str) -> dict[str, Any]:
        """Describe a batch; each look is a step of its life."""
        batch, scenario = self.batches[batch_id], self.spoiled[batch_id]
        if batch["status"] not in _OPEN or scenario == "stuck":
            return batch
        self.looks[batch_id] += 1
        if scenario == "unknown_status" and self.looks[batch_id] < LOOKS:
            return {**batch, "status": "paused_by_policy"}
        if self.looks[batch_id] >= LOOKS:
            self._end(batch, scenario)
        if scenario == "late_files" and self.looks[batch_id] == LOOKS:
            self.looks[batch_id] += 1
            return {**batch, "output_file_id": None, "error_file_id": None}
        return batch

    def shown(self, batch_id: str) -> dict[str, Any]:
        """Describe a batch as this server does at present, which may leave things out."""
        batch = self.look(batch_id)
        if batch["status"] == "completed" and self.strikes("files_later"):
            return {**batch, "output_file_id": None, "error_file_id": None}
        return {**batch, "metadata": None, "input_file_id": None} if self.scenario == "nameless" else batch

    def listed(self, batch_id: str) -> dict[str, Any]:
        """Describe a batch as a list does."""
        batch = self.shown(batch_id)
        bare = {"list_without_metadata": ("metadata",), "bare_list": ("metadata", "input_file_id")}
        return {name: value for name, value in batch.items() if name not in bare.get(self.scenario or "", ())}

    def _lines_of(self, file_id: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[file_id].split(b"\n") if line]

    def _end(self, batch: dict[str, Any], scenario: str | None) -> None:
        lines = self._lines_of(batch["input_file_id"])
        done, refused = self._execute(lines, scenario)
        batch["status"] = _ENDS.get(scenario or "", "completed")
        if scenario in _REASONS:
            batch["errors"] = {"object": "list", "data": [_REASONS[scenario]]}
        batch["request_counts"] = {"total": len(lines), "completed": len(done), "failed": len(refused)}
        if done:
            batch["output_file_id"] = self._keep(f"file-out-{batch['id']}", _spoil(done, scenario))
        if refused or scenario == "empty_error_file":
            batch["error_file_id"] = self._keep(f"file-err-{batch['id']}", _lines(refused)) if refused else ""
        if scenario == "output_404":
            del self.files[batch["output_file_id"]]

    def _execute(self, lines: list[dict[str, Any]], scenario: str | None) -> tuple[list[Any], list[Any]]:
        done: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for place, line in enumerate(lines):
            fate = _fate(scenario, place)
            if fate == "refused":
                refused.append(_refusal(line["custom_id"], scenario or ""))
            elif fate == "done":
                self.executed[line["custom_id"]] += 1
                done.append(_result(line, scenario))
        return done, refused

    def _keep(self, file_id: str, content: bytes) -> str:
        self.files[file_id] = content
        return file_id

    def cancel(self, batch_id: str) -> dict[str, Any]:
        """Cancel a batch; a stuck one has done two of its lines by then."""
        batch = self.batches[batch_id]
        lines = self._lines_of(batch["input_file_id"])[:2]
        if self.spoiled[batch_id] == "stuck":
            self.executed.update(line["custom_id"] for line in lines)
            batch["output_file_id"] = self._keep(
                f"file-out-{batch_id}", _lines([_result(line, None) for line in lines])
            )
        batch["status"] = "cancelled"
        return batch


def _fate(scenario: str | None, place: int) -> str:
    """Tell what becomes of the line at a place of a request file."""
    if scenario in _NOTHING_DONE or (scenario == "missing" and place == 1):
        return "nothing"
    if scenario in {"cancelled_lines", "cancelled_lines_answered"} and place > 2:
        return "refused"
    all_refused = scenario == "all_400"
    one_refused = scenario in {"one_400", "one_429", "one_error"} and place == 1
    too_late = scenario == "expired" and place > 2
    return "refused" if all_refused or one_refused or too_late else "done"


def _refusal(custom_id: str, scenario: str) -> dict[str, Any]:
    line: dict[str, Any] = {"id": "batch_req", "custom_id": custom_id, "response": None, "error": None}
    codes = {"expired": "batch_expired", "one_error": "server_error", "cancelled_lines": "batch_cancelled"}
    if scenario in codes:
        return {**line, "error": {"code": codes[scenario], "message": "not executed"}}
    if scenario == "cancelled_lines_answered":
        error = {"message": "not executed", "type": "invalid_request_error", "code": "batch_cancelled"}
        return {**line, "response": {"status_code": 499, "request_id": "req", "body": {"error": error}}}
    status, code = (429, "rate_limit_exceeded") if scenario == "one_429" else (400, "invalid_value")
    error = {"message": f"refused with {status}", "type": "invalid_request_error", "code": code}
    return {**line, "response": {"status_code": status, "request_id": "req", "body": {"error": error}}}


def _result(line: dict[str, Any], scenario: str | None) -> dict[str, Any]:
    body = line["body"]
    makers = {"/v1/embeddings": _vector, "/v1/chat/completions": partial(_completion, scenario=scenario)}
    made = makers.get(line["url"], partial(_answer, scenario=scenario))(body)
    response = {"status_code": 200, "request_id": "req", "body": made}
    return {"id": "batch_req", "custom_id": line["custom_id"], "response": response, "error": None}


def _vector(body: dict[str, Any]) -> dict[str, Any]:
    numbers = [byte / 255 + 0.01 for byte in sha256(body["input"].encode()).digest()[:WIDTH]]
    vector = base64.b64encode(struct.pack(f"<{WIDTH}f", *numbers)).decode()
    data = [{"object": "embedding", "index": 0, "embedding": vector}]
    return {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 5, "total_tokens": 5}}


def _text(question: str, scenario: str | None) -> str:
    return f"answer\u2028to {question}" if scenario == "u2028" else f"answer to {question}"


def _completion(body: dict[str, Any], scenario: str | None) -> dict[str, Any]:
    message = {"role": "assistant", "content": _text(body["messages"][-1]["content"], scenario), "refusal": None}
    finish = "length" if scenario == "incomplete" else "stop"
    return {
        "id": "chatcmpl",
        "object": "chat.completion",
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def _answer(body: dict[str, Any], scenario: str | None) -> dict[str, Any]:
    cut = scenario == "incomplete"
    text = _text(body["input"], scenario)
    return {
        "id": "resp",
        "object": "response",
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "error": None,
        "model": body["model"],
        "output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}],
        "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
    }


def _spoil(done: list[dict[str, Any]], scenario: str | None) -> bytes:
    if scenario == "out_of_order":
        done.reverse()
    if scenario == "duplicate":
        done = [*done, done[0]]
    if scenario == "duplicate_differs":
        done = [*done, {**done[1], "custom_id": done[0]["custom_id"]}, done[2]]
    if scenario == "half_width":
        done = [_halved(done[0]), *done[1:]]
    if scenario == "unknown_id":
        done = [{**done[0], "custom_id": "ghost"}, *done]
    content = (b"\xef\xbb\xbf" if scenario == "byte_order_mark" else b"") + _lines(done)
    if scenario == "odd_lines":
        first, *others = content.splitlines(keepends=True)
        return b"\xef\xbb\xbf \n" + first[:-3] + b"\n\n" + b"".join(others)
    return content[:-40] if scenario == "cut_line" else content


def _halved(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line whose vector is cut in the middle."""
    halved: dict[str, Any] = json.loads(json.dumps(line))
    [entry] = halved["response"]["body"]["data"]
    entry["embedding"] = base64.b64encode(base64.b64decode(entry["embedding"])[: WIDTH * 2]).decode()
    return halved


def _lines(documents: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(document, ensure_ascii=False).encode() + b"\n" for document in documents)


@contextmanager
def batch_server() -> Iterator[BatchServer]:
    """Serve while the block runs."""
    state = BatchServer()
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: BatchServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else every answer waits 40 ms for an acknowledgement
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Tell the time that this server has."""
        return super().date_time_string((time.time() if timestamp is None else timestamp) + self.state.ahead_s)

    def _send(self, document: object, status: int = 200) -> None:
        self._send_bytes(json.dumps(document).encode(), status=status)

    def _send_bytes(
        self,
        body: bytes,
        *,
        status: int = 200,
        announced: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body) if announced is None else announced))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = announced is not None

    def _refuse(self, status: int, message: str, *, code: str | None = None) -> None:
        self._send({"error": {"message": message, "type": "invalid_request_error", "code": code}}, status)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(2)

    @property
    def _key(self) -> str:
        return str(self.headers["authorization"])

    def _authorized(self) -> bool:
        if self.state.key is None or self.headers["authorization"] == f"Bearer {self.state.key}":
            return True
        self._refuse(401, "Incorrect API key provided", code="invalid_api_key")
        return False

    def _body(self) -> bytes:
        if length := self.headers.get("content-length"):
            return self.rfile.read(int(length))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def do_GET(self) -> None:
        with self.state.lock:
            if not self._authorized():
                return
            named = re.fullmatch(r"/v1/(?:files|batches)/([^/?]+)(?:/content)?", self.path)
            if named and not self.state.shows(named[1], self._key):
                self._refuse(404, "no such object")
            elif found := re.fullmatch(r"/v1/files/(.+)/content", self.path):
                self._download(found[1])
            elif found := re.fullmatch(r"/v1/files/(.+)", self.path):
                known = found[1] in self.state.files
                self._send({"id": found[1], "object": "file"}) if known else self._refuse(404, "No such File object")
            elif self.state.strikes("throttled"):
                self.state.calls["throttled"] += 1
                self._send_bytes(
                    b'{"error":{"message":"slow down"}}', status=429, headers={"Retry-After": self.state.retry_after}
                )
            elif self.state.strikes("poll_500"):
                self._refuse(500, "boom", code="server_error")
            elif found := re.fullmatch(r"/v1/batches/([^?]+)", self.path):
                self.state.calls["find"] += 1
                self._find(found[1])
            else:
                self.state.calls["list"] += 1
                self.state.when_listed()
                self._list()

    def _find(self, batch_id: str) -> None:
        """Tell of one batch; what is asked may not have heard yet what a list told."""
        if batch_id not in self.state.batches or self.state.strikes("hidden"):
            self._refuse(404, "No batch found")
            return
        batch = self.state.shown(batch_id)
        if self.state.strikes("stale_look"):
            batch = {**batch, "status": "in_progress", "output_file_id": None}
        elif self.state.strikes("stale_files"):
            batch = {**batch, "output_file_id": None}
        self._send(batch)

    def _list(self) -> None:
        after = re.search(r"after=([^&]+)", self.path)
        hidden = self.state.scenario == "hidden" and self.state.times > 0
        known = [name for name in self.state.batches if self.state.shows(name, self._key)]
        ids = [] if hidden else [name for name in known if name not in self.state.unlisted][::-1]
        start = ids.index(after[1]) + 1 if after else 0
        shown = [self.state.listed(batch_id) for batch_id in ids[start : start + 100]]
        self._send({"object": "list", "data": shown, "has_more": start + 100 < len(ids)})

    def _download(self, file_id: str) -> None:
        content = self.state.files.get(file_id)
        if self.state.strikes("download_403"):
            self._refuse(403, "not allowed to read files")
        elif content is None or self.state.strikes("output_late"):
            self._refuse(404, "No such File object")
        elif self.state.strikes("endless"):
            self._send_without_end()
        elif self.state.strikes("bomb"):
            self._send_bytes(gzip.compress(bytes(10_000_000)), headers={"Content-Encoding": "gzip"})
        elif self.state.strikes("short_download"):
            self._send_bytes(content[: len(content) // 2], announced=len(content))
        else:
            self._send_bytes(content)

    def _send_without_end(self) -> None:
        """Send until nobody listens any more."""
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"x" * 65_536)

    def do_DELETE(self) -> None:
        with self.state.lock:
            gone = self.state.files.pop(self.path.rsplit("/", 1)[1], None)
            self._refuse(404, "No such File object") if gone is None else self._send({"id": "file", "deleted": True})

    def do_POST(self) -> None:
        data = self._body()
        with self.state.lock:
            if not self._authorized():
                return
            if self.state.scenario == "no_batch_api":
                self._refuse(404, "Not Found")
            elif self.path == "/v1/files":
                self._upload(data)
            elif self.path == "/v1/batches":
                self.state.calls["create"] += 1
                self._create(json.loads(data))
            elif self.state.strikes("cancel_429"):
                self._refuse(429, "too many requests", code="rate_limit_exceeded")
            else:
                self._cancel(self.path.split("/")[3])

    def _upload(self, data: bytes) -> None:
        boundary = re.search(r"boundary=(.+)", self.headers["content-type"])
        assert boundary is not None
        parts = data.split(b"--" + boundary[1].strip('"').encode())
        [file] = [part for part in parts if b'name="file"' in part]
        file_id = f"file-{len(self.state.files)}-{time.monotonic_ns()}"
        self.state.owners[file_id] = self._key
        self.state.files[file_id] = file.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
        self._send({"id": file_id, "object": "file"})

    def _create(self, given: dict[str, Any]) -> None:
        self.state.owners[f"batch_{len(self.state.spoiled)}"] = self._key
        if self.state.strikes("create_429"):
            self._refuse(429, "RESOURCE_EXHAUSTED", code="rate_limit_exceeded")
        elif self.state.strikes("file_not_found_yet"):
            self._refuse(404, f"No such File object: {given['input_file_id']}")
        elif self.state.strikes("create_400"):
            self._refuse(400, "this model cannot be asked in batches")
        elif self.state.strikes("create_throttled"):
            self._send_bytes(
                b'{"error":{"message":"slow down"}}', status=429, headers={"Retry-After": self.state.retry_after}
            )
        elif self.state.strikes("create_dropped"):
            self._drop()
        elif self.state.loses_answers and self.state.times > 0:
            self.state.times -= 1
            self.state.create(given)
            self._drop()
        else:
            self._send(self.state.create(given))

    def _cancel(self, batch_id: str) -> None:
        if batch_id not in self.state.batches or not self.state.shows(batch_id, self._key):
            self._refuse(404, "No batch found")
        elif self.state.batches[batch_id]["status"] in _OPEN:
            self._send(self.state.cancel(batch_id))
        else:
            self._refuse(409, "the batch has ended")
