"""A person whose browser runs no JavaScript, whom clients have visit an address, sign in and consent."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.support.browsing import Person, visit

_REFUSES: Final = {"answer": "deny"}
"""What the person of this name answers: `&person=refuses`."""


@contextlib.contextmanager
def serving(issuer: str, user: dict[str, str]) -> Iterator[str]:
    """An address where clients have a person visit `?url=`; `&person=NAME` is another browser each."""
    answers = {"username": user["email"], "password": user["password"]}
    browsers: dict[str, httpx.Client] = {}

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            who = asked.get("person", [""])[0]
            browser = browsers.setdefault(who, httpx.Client(timeout=60))
            person = Person(issuer, answers | (_REFUSES if who == "refuses" else {}))
            try:
                _answer(self, 200, asdict(visit(browser, person, asked["url"][0])))
            except Exception as error:
                _answer(self, 500, {"error": repr(error)})
                raise

        def log_message(self, *_: object) -> None:
            """Nothing: what went wrong is in the reply."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def _answer(door: BaseHTTPRequestHandler, status: int, told: dict[str, Any]) -> None:
    content = json.dumps(told).encode()
    door.send_response(status)
    door.send_header("Content-Type", "application/json")
    door.send_header("Content-Length", str(len(content)))
    door.end_headers()
    door.wfile.write(content)
