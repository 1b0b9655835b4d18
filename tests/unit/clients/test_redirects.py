"""Redirect URIs: what a client may register, and which request names a registered one."""

import pytest

from app.clients import redirect_matches
from app.clients.redirects import is_redirect, is_web
from tests.support.clients import new_client

CALLBACK = "https://app.example.com/callback"


@pytest.mark.parametrize(
    "uri",
    [
        CALLBACK,
        "https://app.example.com",
        "https://app.example.com:8443/callback?from=roster",
        "https://app_1.internal/callback",
        "https://app.example.com/a@b/%C3%A9",
        "https://[2001:db8::1]/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:8080",
        "http://[::1]:9000/callback",
        "http://localhost:3000/callback?x=1",
        "com.example.app:/callback",
        "com.example.app://callback",
    ],
)
def test_a_client_may_register_web_addresses_loopback_and_private_schemes(uri: str) -> None:
    assert is_redirect(uri)
    assert is_web(uri) == uri.startswith("http")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "//app.example.com/callback",
        "app.example.com/callback",
        "http://app.example.com/callback",
        "http://127.0.0.1.example.com/callback",
        "http://localhost.example.com/callback",
        "http://localhost:80@evil.example.com/callback",
        "http://127.1/callback",
        "http://2130706433/callback",
        "https://ana@app.example.com/callback",
        "https://app.example.com@evil.example.com/callback",
        "https://app.example.com/callback#fragment",
        "https://app.example.com/callback#",
        "https://*.example.com/callback",
        "https://app.example.com/*",
        "https://app.example.com\\@evil.example.com/",
        "https://app.example.com/ callback",
        "https://app.example.com/callback\n",
        "https://app.example.com/\tcallback",
        "https://app.example.com/\0",
        "https://äpp.example.com/callback",
        "https://app.example.com/%2",
        "https://app.example.com/%zz",
        "https://app..example.com/",
        "https://app.example.com:99999/",
        "https://app.example.com:port/",
        "https://[::1/callback",
        "https:///callback",
        "https:app.example.com",
        "HTTPS://app.example.com/callback",
        "javascript:alert(1)",
        "java.script:alert(1)",
        "data:text/html,callback",
        "data:text/html;x.y,callback",
        "file:///etc/passwd",
        "vbscript:callback",
        "myapp:/callback",
        "urn:ietf:wg:oauth:2.0:oob",
        "https://app.example.com/" + "a" * 2048,
    ],
)
def test_nothing_else_may_be_registered(uri: str) -> None:
    assert not is_redirect(uri)
    assert not is_web(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/callback/",
        "https://app.example.com/Callback",
        "https://APP.example.com/callback",
        "https://app.example.com:443/callback",
        "https://app.example.com/callback?",
        "https://app.example.com/callback#",
        "https://app.example.com/./callback",
        "https://app.example.com/x/../callback",
        "https://app.example.com/%63allback",
        "https://app.example.com/callback%00",
        "https://app.example.com/callback ",
        " https://app.example.com/callback",
        "https://ana@app.example.com/callback",
        "https://app.example.com.evil.example/callback",
        "https://evil.example/https://app.example.com/callback",
        "https://sub.app.example.com/callback",
        "http://app.example.com/callback",
        "https://app.example.com/callback/../../evil",
        "https://app.example.com\\.evil.example/callback",
    ],
)
def test_a_request_names_a_registered_uri_character_by_character(uri: str) -> None:
    client = new_client(redirect_uris=("com.example.app:/callback", CALLBACK))
    assert redirect_matches(client, CALLBACK)
    assert redirect_matches(client, "com.example.app:/callback")
    assert not redirect_matches(client, uri)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
@pytest.mark.parametrize("registered", ["", ":8080"])
def test_only_the_port_of_a_loopback_uri_is_free(host: str, registered: str) -> None:
    client = new_client(redirect_uris=(f"http://{host}{registered}/callback?a=b",))
    for port in ("", ":1", ":8080", ":65535"):
        assert redirect_matches(client, f"http://{host}{port}/callback?a=b")
    others = {"127.0.0.1", "[::1]", "localhost", "127.0.0.2", "[::2]"} - {host}
    for uri in (
        *(f"http://{other}:8080/callback?a=b" for other in others),
        f"https://{host}:8080/callback?a=b",
        f"http://{host}:8080/callback",
        f"http://{host}:8080/callback?a=b&c=d",
        f"http://{host}:8080/callback?a=b#",
        f"http://{host}:8080@evil.example/callback?a=b",
        f"http://{host}:@evil.example/callback?a=b",
        f"http://ana@{host}:8080/callback?a=b",
        f"http://{host}:8080:9090/callback?a=b",
        f"http://{host}:808080/callback?a=b",
        f"http://{host}:80\n80/callback?a=b",
        f"http://{host}.evil.example:8080/callback?a=b",
        f"http://evil.example/http://{host}:8080/callback?a=b",
    ):
        assert not redirect_matches(client, uri), uri


def test_an_address_of_the_network_has_no_free_port() -> None:
    client = new_client(redirect_uris=("https://app.example.com:8443/callback",))
    assert not redirect_matches(client, "https://app.example.com:8444/callback")
    assert not redirect_matches(new_client(), CALLBACK)
