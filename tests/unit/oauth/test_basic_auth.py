import base64
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidClientError, OAuthError
from app.oauth.basic_auth import credentials, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
CANARY = "s3cr3t-canary"
MALFORMED = "HTTP Basic is the base64 of id and secret, form-encoded, with a colon between."


def basic(pair: bytes) -> str:
    return f"Basic {base64.b64encode(pair).decode()}"


def refusal(authorization: str) -> str:
    with pytest.raises(InvalidClientError) as caught:
        parse(authorization)
    assert (caught.value.status, caught.value.code) == (401, "invalid_client")
    assert caught.value.headers == {"WWW-Authenticate": 'Basic realm="roster", charset="UTF-8"'}
    return caught.value.detail


@given(client_id=TEXT, secret=TEXT.filter(bool))
def test_what_a_client_encodes_is_what_is_read(client_id: str, secret: str) -> None:
    header = basic(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode())
    assert parse(header) == (client_id, secret)


@pytest.mark.parametrize(
    ("pair", "read"),
    [
        (b"portal:secret", ("portal", "secret")),
        (b"portal:", ("portal", "")),
        (b":secret", ("", "secret")),
        (b"portal:a:b", ("portal", "a:b")),
        (b"p%6Frtal:a+b%2Bc", ("portal", "a b+c")),
        (b"portal:s%C3%A9cret", ("portal", "sécret")),
        ("portal:sécret".encode(), ("portal", "sécret")),
    ],
)
def test_id_and_secret_are_form_decoded(pair: bytes, read: tuple[str, str]) -> None:
    assert parse(basic(pair)) == read


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "bAsIc", "Basic  "])
def test_the_scheme_may_be_spelt_as_http_allows(scheme: str) -> None:
    assert parse(basic(b"portal:secret").replace("Basic", scheme)) == ("portal", "secret")


def test_no_header_and_an_empty_pair_name_nobody() -> None:
    assert parse(None) is None
    assert parse("Basic Og==") is None  # Swagger UI with neither filled in


@pytest.mark.parametrize("header", ["Basic2 eDp5", "eDp5", "Digest username=x", "Basic\teDp5"])
def test_another_scheme_is_refused(header: str) -> None:
    assert refusal(header) == "Clients authenticate by HTTP Basic here."


@pytest.mark.parametrize(
    "header",
    [
        "Basic", "Basic ", "Basic x", "Basic !!!!", "Basic eDp", "Basic eDp5 eDp5", "Basic eDp-", "Basic ß",
        "Basic \ud800", "Basic eDp5\n", basic(b""), basic(b"no colon"), basic(b"a%:b"), basic(b"a:%zz"),
        basic(b"a\0:b"), basic(b"a:%00"), basic(b"\xff:b"), basic(b"a:%ED%A0%80"),
    ],
)  # fmt: skip
def test_what_is_not_proper_is_refused(header: str) -> None:
    assert refusal(header) == MALFORMED


@given(st.text() | st.text().map(lambda text: f"Basic {text}") | st.binary().map(basic))
def test_any_header_is_read_or_refused_by_name(header: str) -> None:
    try:
        pair = parse(header)
    except InvalidClientError:
        return
    assert pair is None or any(pair)


# --- the header and the form together -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "form", "found"),
    [
        (None, {}, (None, None)),
        (None, {"client_id": "app"}, ("app", None)),
        (None, {"client_id": "app", "client_secret": "s"}, ("app", "s")),
        (None, {"client_secret": "s"}, (None, "s")),
        (basic(b"app:s"), {"grant_type": "password"}, ("app", "s")),
        (basic(b"app:s"), {"client_id": "app"}, ("app", "s")),
        (basic(b"app:"), {}, ("app", None)),
        (basic(b":s"), {}, (None, "s")),
        (basic(b":"), {}, (None, None)),
        (basic(b":"), {"client_id": "app", "client_secret": "s"}, ("app", "s")),
    ],
)
def test_a_client_says_who_it_is_one_way_or_the_other(
    header: str | None, form: dict[str, str], found: tuple[str | None, str | None]
) -> None:
    assert credentials(header, form) == found


@pytest.mark.parametrize(
    "form",
    [{"client_id": "app", "client_secret": "s"}, {"client_secret": CANARY}, {"client_id": "other"}],
)
def test_both_ways_at_once_are_refused(form: dict[str, str]) -> None:
    with pytest.raises(OAuthError) as refused:
        credentials(basic(b"app:s"), form)
    assert (refused.value.status, refused.value.code) == (400, "invalid_request")
    assert refused.value.detail == "Name the client by HTTP Basic or in the form, not both."


def test_a_malformed_header_is_refused_whatever_the_form_says() -> None:
    with pytest.raises(InvalidClientError):
        credentials("Basic !", {"client_id": "app", "client_secret": "s"})


@given(
    header=st.none() | st.binary().map(basic) | st.text(),
    form=st.dictionaries(st.sampled_from(["client_id", "client_secret"]), TEXT.filter(bool)),
)
def test_any_header_with_any_form_is_read_or_refused_by_name(
    header: str | None, form: dict[str, str]
) -> None:
    try:
        found = credentials(header, form)
    except OAuthError:
        return
    assert all(part is None or part for part in found)


@pytest.mark.parametrize("header", ["", "Bearer eyJhbGciOi", "bearer x"])
def test_a_bearer_token_says_nothing_of_the_client(header: str) -> None:
    assert parse(header) is None
