"""Uploads so many clips from 16 threads, by the adapter or by the barest client; prints the seconds that it took.

``python -m benchmarks.upload_work adapter|bare URL CLIP COUNT``. Both make the same calls with the same bytes; one
upload before the clock starts loads what is loaded once.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from threading import local
from typing import Final
from urllib.parse import urlsplit

CONCURRENCY: Final = 16
_MIME: Final = "audio/ogg"


def adapter(url: str, clip: Path) -> Callable[[int], object]:
    """Upload by ``GeminiFiles``."""
    from eval_pipeline.providers.gemini.files import GeminiFiles  # noqa: PLC0415 - of this way alone

    files = GeminiFiles(api_key="bench", base_url=url)
    return lambda number: files.upload(clip, name=f"{number}.ogg", mime_type=_MIME)


def bare(url: str, clip: Path) -> Callable[[int], object]:
    """Upload by the standard library's client, one connection a thread."""
    kept = local()
    size_bytes = clip.stat().st_size
    address = urlsplit(url).netloc

    def call(path: str, body: object, headers: dict[str, str]) -> HTTPConnection:
        if not hasattr(kept, "connection"):
            kept.connection = HTTPConnection(address, blocksize=1 << 20)
        connection: HTTPConnection = kept.connection
        connection.request("POST", path, body=body, headers=headers)  # type: ignore[arg-type]  # a file or bytes
        return connection

    def upload(number: int) -> None:
        announced = json.dumps({"file": {"displayName": f"{number}.ogg", "mimeType": _MIME}}).encode()
        answer = call("/upload/v1/files", announced, {"X-Goog-Upload-Command": "start"}).getresponse()
        answer.read()
        target = answer.headers["X-Goog-Upload-URL"]
        with clip.open("rb") as file:
            answer = call(target, file, {"Content-Length": str(size_bytes)}).getresponse()
            json.loads(answer.read())

    return upload


def main(way: str, url: str, clip: str, count: str) -> None:
    """Upload and tell."""
    upload = {"adapter": adapter, "bare": bare}[way](url, Path(clip))
    upload(0)
    started_s = time.monotonic()
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        for _ in pool.map(upload, range(int(count))):
            pass
    print(json.dumps({"elapsed_s": time.monotonic() - started_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
