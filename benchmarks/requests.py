"""Requests, ready before the clock runs: as bytes for the load generator, in parts for `http.client`."""

from dataclasses import dataclass
from urllib.parse import urlencode

Form = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A GET, or with a form or JSON a POST of it."""

    path: str
    token: str | None = None
    form: Form = ()
    json: str = ""

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"

    @property
    def body(self) -> str:
        return self.json or urlencode(self.form)

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Accept": "*/*"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.body:
            headers["Content-Type"] = "application/json" if self.json else "application/x-www-form-urlencoded"
            headers["Content-Length"] = str(len(self.body))
        return headers

    def encode(self) -> bytes:
        """HTTP/1.1, on a connection that stays open."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", self.body]).encode("ascii")


def sign_in(username: str, password: str, *, path: str = "/auth/token") -> Request:
    form = (("grant_type", "password"), ("username", username), ("password", password))
    return Request(path, form=form)


def ask_token(grant_type: str, *form: tuple[str, str]) -> Request:
    return Request("/auth/token", form=(("grant_type", grant_type), *form))


def refresh(refresh_token: str, client: Form = ()) -> Request:
    """`client`: its id and its secret; none for the built-in client."""
    return ask_token("refresh_token", ("refresh_token", refresh_token), *client)
