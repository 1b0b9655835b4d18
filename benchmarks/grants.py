"""What a client's tokens cost by code and by its own credentials, beside its refreshes."""

import json
from http.client import HTTPConnection
from statistics import median

from benchmarks import accounts, granting
from benchmarks.load import closed_loop, refreshing
from benchmarks.plan import Sizes
from benchmarks.requests import Form, Request, ask_token
from benchmarks.results import Finding, ratio, spread
from benchmarks.servers import Backends, serving

OF_REFRESHES = 0.8
_CONNECTIONS = 16
_WARM_UP_S = 0.3
_CODES_PER_SECOND = 4_000
"""More than are ever exchanged: a code that is sent twice makes the run fail."""


def measure(backends: Backends, sizes: Sizes) -> list[Finding]:
    database = backends.database(sizes.users)
    (email,) = accounts.prepare(database, 1)
    refreshes: list[float] = []
    codes: list[float] = []
    credentials: list[float] = []
    seconds = sizes.page_seconds
    with serving("roster", database) as roster:
        for _ in range(sizes.page_rounds):
            count = _CONNECTIONS + round(_CODES_PER_SECOND * (_WARM_UP_S + seconds))
            granted = granting.prepare(roster.port, database, email, count)
            client = (("client_id", granted.client_id), ("client_secret", granted.client_secret))
            exchanges = [_exchange(code, client) for code in granted.codes]
            tokens = [_refresh_token(roster.port, each) for each in exchanges[:_CONNECTIONS]]
            load = refreshing(roster.port, tokens, client=client, seconds=seconds, warm_up=_WARM_UP_S)
            refreshes.append(load.per_second)
            for asked, found in (
                (exchanges[_CONNECTIONS:], codes),
                ([ask_token("client_credentials", *client)], credentials),
            ):
                load = closed_loop(
                    roster.port, *asked, connections=_CONNECTIONS, seconds=seconds, warm_up=_WARM_UP_S
                )
                found.append(load.per_second)
    return [
        _compare("exchanges of codes with ID tokens", codes, refreshes),
        _compare("client credentials", credentials, refreshes),
    ]


def _exchange(code: str, client: Form) -> Request:
    form = (("code", code), ("redirect_uri", granting.CALLBACK), ("code_verifier", granting.VERIFIER))
    return ask_token("authorization_code", *form, *client)


def _refresh_token(port: int, request: Request) -> str:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request(request.method, request.path, request.body, request.headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{request.path}: {answer.status} {body[:500]!r}")
    return str(json.loads(body)["refresh_token"])


def _compare(what: str, ours: list[float], refreshes: list[float]) -> Finding:
    figures = f"{median(ours):,.0f}/s to {median(refreshes):,.0f}/s{spread(ours, refreshes)}"
    return Finding(
        "grants",
        f"{what}, of refreshes by the same client",
        figures,
        ratio(ours, refreshes),
        at_least=OF_REFRESHES,
    )
