"""Signatures, as the reference implementation and an ed25519 verifier of its own read them."""

import base64
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.webhooks.signing import PUBLIC_PREFIX, make_secret, show_public, show_secret, sign

_BODY = b'{"type":"user.deleted"}'


def test_each_live_secret_verifies_and_no_other() -> None:
    secrets = [make_secret(), make_secret()]
    headers = sign("evt_1", int(time.time()), _BODY, secrets, [])
    for secret in secrets:
        assert Webhook(show_secret(secret)).verify(_BODY.decode(), headers) == {"type": "user.deleted"}
    with pytest.raises(WebhookVerificationError):
        Webhook(show_secret(make_secret())).verify(_BODY.decode(), headers)


@pytest.mark.parametrize("age_s", [-600, 600])
def test_a_message_of_another_time_is_refused_by_its_verifier(age_s: int) -> None:
    secret = make_secret()
    headers = sign("evt_1", int(time.time()) - age_s, _BODY, [secret], [])
    with pytest.raises(WebhookVerificationError):
        Webhook(show_secret(secret)).verify(_BODY.decode(), headers)


def test_the_published_key_verifies_v1a() -> None:
    key = Ed25519PrivateKey.generate()
    headers = sign("evt_1", 1_769_846_400, _BODY, [], [key])
    version, _, signature = headers["webhook-signature"].partition(",")
    public = Ed25519PublicKey.from_public_bytes(
        base64.b64decode(show_public(key).removeprefix(PUBLIC_PREFIX))
    )
    assert version == "v1a"
    public.verify(base64.b64decode(signature), b"evt_1.1769846400." + _BODY)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), b"evt_2.1769846400." + _BODY)
