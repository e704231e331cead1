import threading

import httpx
import pytest

from eval_pipeline.standins.openai.app import OpenAIOptions, create_app
from eval_pipeline.standins.server import serve

ASK = {"model": "gpt-4o", "input": "hello"}
KEY = {"authorization": "Bearer sk-test"}


def test_stand_ins_get_ports_of_their_own_and_keep_their_own_counts() -> None:
    with serve(create_app()) as first, serve(create_app()) as second:
        httpx.post(f"{first}/v1/responses", json=ASK, headers=KEY)
        counted = [httpx.get(f"{url}/__standin__/counts").json()["responses"]["requests"] for url in (first, second)]

    assert first != second
    assert counted == [1, 0]


def test_the_port_is_free_again_at_the_end() -> None:
    with serve(create_app()) as url:
        port = int(url.rpartition(":")[2])
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)

    with serve(create_app(), port=port) as again:
        assert again == url


def test_a_stand_in_ends_at_once_though_clients_still_wait() -> None:
    def ask() -> None:
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{url}/v1/responses", json=ASK, headers=KEY, timeout=60)

    client = threading.Thread(target=ask)
    app = create_app(OpenAIOptions(latency_s=60))
    with serve(app) as url:
        client.start()
        while not app.state.standin.counts["responses"].in_flight:
            threading.Event().wait(0.01)

    client.join(timeout=10)
    assert not client.is_alive()
