"""An application in the browser, on an origin of its own: the example of docs/sign-in.md and its library."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from clients import environment, examples

_LIBRARIES: Final = {
    "/oidc-client-ts.js": "oidc-client-ts/dist/esm/oidc-client-ts.js",
    "/jwt-decode.js": "jwt-decode/build/esm/index.js",
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>An application in the browser</title>
<link rel="icon" href="data:,">
<script type="importmap">
{"imports": {"oidc-client-ts": "/oidc-client-ts.js", "jwt-decode": "/jwt-decode.js"}}
</script>
<main><h1>An application in the browser</h1>
<p id="user"></p><button id="sign-in">Sign in</button><button id="sign-out">Sign out</button></main>
<script type="module" src="/app.js"></script>
"""
_SHOWN: Final = "\nwindow.manager = manager;\n"
"""For the tier, which asks it for more than the example does."""


class Application:
    """`origin` is where it is served; it signs in at the issuer that it is told of later."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.origin = f"http://127.0.0.1:{server.server_port}"
        self.issuer = ""

    def find(self, path: str) -> tuple[str, str]:
        """Media type and text."""
        if path in _LIBRARIES:
            return "text/javascript", (environment.MODULES / _LIBRARIES[path]).read_text()
        if path == "/app.js":
            instead = {"http://127.0.0.1:8000": self.issuer, '"spa"': '"browser"'}
            text = examples.read("A single-page application", "js", **instead)
            return "text/javascript", text + _SHOWN
        return "text/html", _PAGE


@contextlib.contextmanager
def serving() -> Iterator[Application]:
    """Ready when entered."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, text = application.find(self.path.partition("?")[0])
            content = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing: the browser says what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    application = Application(server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield application
    finally:
        server.shutdown()
        server.server_close()
