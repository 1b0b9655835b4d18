"""Flows: sealed into an address, opened again, and ended by a redirect."""

import dataclasses

import pytest

from app.core.errors import AuthorizationRequestError, InvalidScopeError
from app.oauth.authorization import Authorization, Flow
from app.oauth.authorization.authorization import FLOW_S
from tests.support.clock import Clock

SECRET = "a secret of the tests, long enough"
ISSUER = "https://id.example.com"
NOW = 1_800_000_000.25


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def authorization(clock: Clock) -> Authorization:
    return Authorization(SECRET, issuer=ISSUER, now=clock)


def flow(**more: object) -> Flow:
    plain = Flow(
        client_id="portal",
        redirect_uri="https://app.example.com/cb",
        scopes=frozenset({"openid", "me"}),
        code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        asked_at=NOW,
    )
    return dataclasses.replace(plain, **more)  # type: ignore[arg-type]  # fields by their names


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"max_age": 0},
        {"state": "0", "nonce": "n", "response_mode": "form_post", "prompt": frozenset({"login", "consent"})},
        {"subject": "6650c5f2e1b7a3d4c9f01234", "login_hint": "zoe", "ui_locales": "zh de"},
        {"id_token_claims": frozenset({"email"}), "request_uri": "urn:x", "consented": "z"},
    ],
)
def test_a_flow_comes_back_as_it_was_sealed(authorization: Authorization, more: dict[str, object]) -> None:
    asked = flow(**more)
    assert authorization.open(authorization.seal(asked)) == asked


def test_a_sealed_flow_shows_nothing_of_the_request(authorization: Authorization) -> None:
    sealed = authorization.seal(flow(state="a-state"))
    assert "portal" not in sealed
    assert authorization.seal(flow(state="a-state")) != sealed


@pytest.mark.parametrize("sealed", ["", "x", "!", "A" * 60, "A" * 20_000])
def test_a_made_up_flow_is_refused(authorization: Authorization, sealed: str) -> None:
    with pytest.raises(AuthorizationRequestError, match="begin again"):
        authorization.open(sealed)


def test_a_flow_changed_by_a_character_is_refused(authorization: Authorization) -> None:
    sealed = authorization.seal(flow())
    with pytest.raises(AuthorizationRequestError):
        authorization.open(sealed[:-5] + ("A" if sealed[-5] != "A" else "B") + sealed[-4:])


def test_a_flow_of_another_service_is_refused(authorization: Authorization, clock: Clock) -> None:
    other = Authorization("another secret that is long enough", issuer=ISSUER, now=clock)
    with pytest.raises(AuthorizationRequestError):
        authorization.open(other.seal(flow()))


def test_a_flow_lives_for_an_hour(authorization: Authorization, clock: Clock) -> None:
    sealed = authorization.seal(flow())
    clock.now = NOW + FLOW_S
    assert authorization.open(sealed) == flow()
    clock.now = NOW + FLOW_S + 1
    with pytest.raises(AuthorizationRequestError):
        authorization.open(sealed)


def test_a_refusal_names_state_and_issuer(authorization: Authorization) -> None:
    refused = authorization.refuse(flow(state="s&t=1"), InvalidScopeError("None of these."))
    assert refused.location == (
        "https://app.example.com/cb?error=invalid_scope&error_description=None+of+these."
        "&state=s%26t%3D1&iss=https%3A%2F%2Fid.example.com"
    )


def test_a_user_who_refuses_is_told_to_the_client(authorization: Authorization) -> None:
    refused = authorization.deny(flow(response_mode="form_post"))
    assert (refused.mode, refused.parameters["error"]) == ("form_post", "access_denied")
    assert "state" not in refused.parameters


def test_an_address_with_a_query_keeps_it(authorization: Authorization) -> None:
    answered = authorization.answer(flow(redirect_uri="https://app.example.com/cb?tenant=1"), {"code": "c"})
    assert answered.location.startswith("https://app.example.com/cb?tenant=1&code=c&iss=")
