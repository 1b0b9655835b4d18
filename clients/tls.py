"""A reverse proxy that ends TLS before a Roster, and what makes Chromium trust its certificate."""

import base64
import contextlib
import hashlib
import http.client
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.certificates import make_certificate

HOST: Final = "users.roster.test"
"""A name, as cookies of an address have no domain in any case."""
VISITOR: Final = "203.0.113.7"
"""Where all its clients come from, as it tells Roster."""
_OWN: Final = frozenset({"connection", "content-length", "transfer-encoding"})
"""Headers of one connection."""


class Proxy:
    """`url` is where it is reached; `target` is the port of the Roster behind it."""

    def __init__(self, port: int, trust: list[str]) -> None:
        self.url = f"https://{HOST}:{port}"
        self.trust = trust
        """Arguments of Chromium: it finds the name, and takes this one certificate."""
        self.target = 0


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Proxy]:
    """Ready when entered; `target` is set once that is known."""

    class Door(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sent = {**self.headers, "X-Forwarded-For": VISITOR, "Connection": "close"}
            roster = http.client.HTTPConnection("127.0.0.1", proxy.target, timeout=60)
            with contextlib.closing(roster):
                roster.request(self.command, self.path, content, sent)
                reply = roster.getresponse()
                self._answer(reply, reply.read())

        def _answer(self, reply: http.client.HTTPResponse, content: bytes) -> None:
            self.send_response_only(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_OPTIONS = _pass_on  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: Any) -> None:
            """Nothing: Roster logs."""

    certificate, key = make_certificate(folder, HOST)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    proxy = Proxy(server.server_port, _trust(certificate))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


def _trust(certificate: Path) -> list[str]:
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return [
        "--host-resolver-rules=MAP *.roster.test 127.0.0.1",
        f"--ignore-certificate-errors-spki-list={base64.b64encode(digest).decode()}",
    ]
