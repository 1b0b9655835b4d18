"""Under which names the service answers: pages of other sites must not reach it by a name of their own."""

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app.core.settings import Settings
from app.http.middleware import RequestContext
from app.http.trusted_hosts import TrustedHosts, find_names
from tests.support.small_app import make_app
from tests.support.users import problem


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]  # validated as they come


async def ask(given: Settings, *hosts: str, path: str = "/users", http: str = "1.1") -> httpx.Response:
    names = find_names(given)
    assert names is not None
    app = RequestContext(TrustedHosts(make_app(), names))

    async def speak(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "http_version": http}, receive, send)

    transport = httpx.ASGITransport(speak)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        request = client.build_request("GET", path)
        del request.headers["host"]
        request.headers = httpx.Headers([*request.headers.raw, *((b"host", host.encode()) for host in hosts)])
        return await client.send(request)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000", "[::1]"],
)
async def test_on_loopback_loopback_names_are_taken(host: str) -> None:
    assert (await ask(settings(), host)).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.7", "", "[", "\xe9"],
)
async def test_on_loopback_other_names_are_refused(host: str) -> None:
    reply = await ask(settings(), host)
    assert (
        problem(reply, 421, "host_not_allowed")["detail"]
        == "Use a host name that ROSTER_ALLOWED_HOSTS allows."
    )
    assert "evil" not in reply.text


async def test_the_proxy_before_it_may_pass_on_the_name_that_others_know() -> None:
    behind = settings(issuer="https://users.example.com:8443")
    assert (await ask(behind, "users.example.com:8443")).status_code == 200
    assert (await ask(behind, "other.example.com")).status_code == 421


@pytest.mark.parametrize("host", ["users.example.com", "a.internal", "a.b.Internal:80", "[2001:db8::7]:80"])
async def test_names_that_are_set_are_taken_and_those_below_a_star(host: str) -> None:
    named = settings(allowed_hosts="users.example.com,*.internal,[2001:db8::7]")
    assert (await ask(named, host)).status_code == 200
    assert (await ask(named, "localhost:8000")).status_code == 200


@pytest.mark.parametrize("host", ["internal", "evilinternal", "xusers.example.com", "a.users.example.com"])
async def test_names_beside_those_that_are_set_are_refused(host: str) -> None:
    problem(await ask(settings(allowed_hosts="users.example.com,*.internal"), host), 421, "host_not_allowed")


@pytest.mark.parametrize("hosts", [(), ("localhost", "localhost")])
async def test_there_is_one_name(hosts: tuple[str, ...]) -> None:
    problem(await ask(settings(), *hosts), 400, "malformed_request")


async def test_a_probe_that_knows_no_name_learns_of_its_health() -> None:
    assert (await ask(settings(), "10.0.0.7:8000", path="/health/live")).status_code == 200


async def test_a_probe_of_http_1_0_need_name_no_host() -> None:
    """As HAProxy's `option httpchk` asks."""
    assert (await ask(settings(), path="/health/live", http="1.0")).status_code == 200
    problem(await ask(settings(), http="1.0"), 421, "host_not_allowed")
    problem(await ask(settings(), "localhost", "localhost", http="1.0"), 400, "malformed_request")


def test_open_to_the_network_or_by_a_star_any_name_is_taken() -> None:
    assert find_names(settings(allowed_hosts="*")) is None
    assert find_names(settings(host="10.0.0.7", issuer="https://users.example.com")) is None
