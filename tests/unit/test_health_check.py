"""The health checks of containers, asked of small servers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app import health_check


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/live" else 503)
        self.end_headers()
        if self.path != "/health/live":
            self.wfile.write(b'{"code":"not_ready","detail":"redis: it does not answer."}')

    def log_message(self, *_: object) -> None: ...


class AnsweringV6(HTTPServer):
    address_family = socket.AF_INET6


@contextmanager
def serving(kind: type[HTTPServer], host: str) -> Iterator[int]:
    with kind((host, 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["", "0.0.0.0", "127.0.0.1", "::", "::1"])  # noqa: S104 - of the test
def test_a_server_is_asked_where_it_listens_and_past_any_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    is_v6 = ":" in host
    with serving(AnsweringV6 if is_v6 else HTTPServer, "::1" if is_v6 else "127.0.0.1") as port:
        monkeypatch.setenv("ROSTER_HOST", host)
        monkeypatch.setenv("ROSTER_PORT", str(port))
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert health_check.main("live") is None
        assert health_check.main("ready") == '{"code":"not_ready","detail":"redis: it does not answer."}'


def test_a_server_that_is_not_there_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(HTTPServer, "127.0.0.1") as port:
        pass
    monkeypatch.setenv("ROSTER_PORT", str(port))
    assert health_check.main("live") == "It does not answer: [Errno 111] Connection refused"


def test_a_worker_that_is_not_there_is_not_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(health_check, "WORKER_SOCKET", tmp_path / "none")
    assert health_check.main("worker") == "It does not answer: [Errno 2] No such file or directory"
