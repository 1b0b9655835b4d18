import re
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidScopeError, OAuthError
from app.oauth.forms import MAX_PARAMETERS, MEDIA_TYPE, parse, scope
from models.values import ALL_SCOPES

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
DESCRIBABLE = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}")
"""What `error_description` may hold (RFC 6749, section 5.2)."""

CANARY = "s3cr3t-canary"


def refusal(body: bytes, content_type: str = MEDIA_TYPE) -> str:
    with pytest.raises(OAuthError) as caught:
        parse(body, content_type)
    assert type(caught.value) is OAuthError
    assert (caught.value.status, caught.value.code) == (400, "invalid_request")
    assert DESCRIBABLE.fullmatch(caught.value.detail)
    return caught.value.detail


# --- what is read ---------------------------------------------------------------------------------------


@given(st.dictionaries(TEXT.filter(bool), TEXT.filter(bool), max_size=MAX_PARAMETERS))
def test_what_a_client_encodes_is_what_is_read(parameters: dict[str, str]) -> None:
    assert parse(urlencode(parameters).encode(), MEDIA_TYPE) == parameters


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        (b"", {}),
        (b"&&", {}),
        (b"grant_type=password&username=zo%C3%AB&", {"grant_type": "password", "username": "zoë"}),
        (b"password=a+b%2Bc%26d%3De=f", {"password": "a b+c&d=e=f"}),
        ("username=张伟".encode(), {"username": "张伟"}),
        (b"scope=&username=ana&password", {"username": "ana"}),
        (b"=nameless", {"": "nameless"}),
        (b"grant%5Ftype=password", {"grant_type": "password"}),
        (b"password=%20", {"password": " "}),
    ],
)
def test_a_form_is_read_and_empty_values_count_as_absent(body: bytes, parameters: dict[str, str]) -> None:
    assert parse(body, MEDIA_TYPE) == parameters


@pytest.mark.parametrize(
    "content_type",
    [MEDIA_TYPE, MEDIA_TYPE.upper(), f"{MEDIA_TYPE}; charset=UTF-8", f" {MEDIA_TYPE} ;charset=utf-8"],
)
def test_the_media_type_may_be_spelt_as_http_allows(content_type: str) -> None:
    assert parse(b"a=b", content_type) == {"a": "b"}


def test_thirty_parameters_are_read_and_no_more() -> None:
    thirty = b"&".join(b"p%d=v" % number for number in range(30))
    assert len(parse(thirty, MEDIA_TYPE)) == 30
    assert len(parse(thirty + b"&", MEDIA_TYPE)) == 30
    assert refusal(thirty + b"&q=v") == "Send at most 30 parameters."
    assert refusal(b"&" * 10**6) == "Send at most 30 parameters."


# --- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/form-data; boundary=x", "text/plain", f"{MEDIA_TYPE}2", "; =", "\0"],
)
def test_another_media_type_is_refused_and_the_right_one_named(content_type: str) -> None:
    assert refusal(b"a=b", content_type) == "Send the parameters as application/x-www-form-urlencoded."


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"scope=me&scope=me", "The parameter scope occurs twice."),
        (b"scope=&scope=me", "The parameter scope occurs twice."),
        (b"scope=me&a=b&s%63ope=", "The parameter scope occurs twice."),
        (b"a%22b=1&a%22b=2", "A parameter occurs twice."),
        (b"a%0Ab=1&a%0Ab=2", "A parameter occurs twice."),
        (b"n" * 40 + b"&" + b"n" * 40, f"The parameter {'n' * 40} occurs twice."),
        (b"n" * 41 + b"&" + b"n" * 41, "A parameter occurs twice."),
        (b"=1&=2", "A parameter occurs twice."),
    ],
)
def test_no_parameter_stands_twice(body: bytes, detail: str) -> None:
    assert refusal(body) == detail


@pytest.mark.parametrize(
    "encoded",
    [b"%00", b"\0", b"%FF", b"\xff", b"%ED%A0%80", b"\xed\xb0\x80", b"%C0%80", b"%", b"%4", b"%zz", b"100%!"],
)
@pytest.mark.parametrize("where", [b"password=%s", b"%s=x", b"a=b&%s"])
def test_only_percent_encoded_utf8_without_nul_is_read(where: bytes, encoded: bytes) -> None:
    body = where.replace(b"%s", CANARY.encode() + encoded)
    assert refusal(body) == "The form is not percent-encoded UTF-8 without NUL."


@given(body=st.binary() | st.text("ab%=&+\0é\ud800").map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_read_or_refused_by_name(body: bytes) -> None:
    try:
        parameters = parse(body, MEDIA_TYPE)
    except OAuthError:
        refusal(body)
        return
    assert all(value and "\0" not in name + value for name, value in parameters.items())
    "".join([*parameters, *parameters.values()]).encode()


@given(body=st.binary(), content_type=st.text())
def test_any_media_type_is_the_form_s_or_refused_by_name(body: bytes, content_type: str) -> None:
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        refusal(body, content_type)


@given(noise=st.binary(max_size=8))
def test_no_error_repeats_a_value(noise: bytes) -> None:
    """A name is repeated, even if somebody sent a secret in its place."""
    body = b"password=%b%b&a=1&password=%b" % (CANARY.encode(), noise, CANARY.encode())
    assert CANARY not in refusal(body)


# --- scopes ---------------------------------------------------------------------------------------------


def test_scopes_are_a_set_of_known_names() -> None:
    assert scope(None) is None
    assert scope("me") == frozenset({"me"})
    assert scope("users:read me me") == frozenset({"me", "users:read"})
    every = " ".join(ALL_SCOPES)
    assert scope(every) == frozenset(every.split())


@pytest.mark.parametrize(
    "text",
    [
        "", " ", " me", "me ", "me  users:read", "me\tusers:read", "me,users:read", "ME", "openid", "*",
        "me\0", 'me"', "users:*", "ｍe", CANARY, "me " * 10**5,
    ],
)  # fmt: skip
def test_unknown_and_malformed_scopes_are_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(InvalidScopeError) as refused:
        scope(text)
    assert (refused.value.status, refused.value.code) == (400, "invalid_scope")
    assert refused.value.detail.endswith(
        f"Send scopes with one space between, out of: {' '.join(ALL_SCOPES)}."
    )
    assert DESCRIBABLE.fullmatch(refused.value.detail)


@given(st.text() | st.text("me users:rad"))
def test_any_text_is_known_scopes_or_refused_by_name(text: str) -> None:
    try:
        names = scope(text)
    except InvalidScopeError:
        return
    assert names is not None
    assert names == set(text.split(" "))
    assert names <= {*ALL_SCOPES}
