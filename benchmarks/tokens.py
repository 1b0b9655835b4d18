"""Signing in, once and untimed."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection

from benchmarks import requests

ADMIN_EMAIL = "benchmarks@example.com"
PASSWORD = "mares eat oats and does eat oats"  # noqa: S105  # of people made up for the run
_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Tokens:
    """`refresh` is empty where the server gives none."""

    access: str
    refresh: str


def sign_in(port: int, username: str = ADMIN_EMAIL, *, path: str = "/auth/token") -> Tokens:
    request = requests.sign_in(username, PASSWORD, path=path)
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    connection.request(request.method, request.path, request.body, request.headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:500]!r}")
    given = json.loads(body)
    return Tokens(given["access_token"], given.get("refresh_token", ""))
