"""Clients in the bodies of requests and replies."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app.clients import Client, NewClient, stored
from app.core.clock import now
from app.core.paging import Page
from app.http.sound_rows import describe_sound
from app.oauth.consents import Consent
from models.client import ClientInput, ClientOutput, ClientPage, ClientPatch, ConsentList, ConsentOutput

_SETS = {"scopes": frozenset, "grant_types": frozenset}


def new(asked: ClientInput) -> NewClient:
    return NewClient(**_read(asked.model_dump(exclude={"id"})))


def changes(patch: ClientPatch) -> dict[str, Any]:
    """What the patch names."""
    return _read(patch.model_dump(exclude_unset=True))


def describe(client: Client) -> ClientOutput:
    values = stored(client)
    keys, until = values.pop("keys"), client.old_secret_until
    return ClientOutput.model_validate(
        values
        | {
            "id": client.id,
            "subject": client.subject,
            "jwks": {"keys": keys} if keys else None,
            "is_dynamic": client.is_dynamic,
            "created_at": client.created_at,
            "old_secret_until": until if until is not None and until > now() else None,
        }
    )


def page(found: Page[Client]) -> ClientPage:
    return ClientPage(items=describe_sound(found.items, describe, lambda client: client.id), next=found.next)


def consents(found: Sequence[Consent]) -> ConsentList:
    return ConsentList(items=[ConsentOutput(**asdict(consent)) for consent in found])


def _read(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a client, without repetitions in lists."""
    if "jwks" in values:
        jwks = values.pop("jwks")
        values["keys"] = () if jwks is None else tuple(jwks["keys"])
    return {
        name: _SETS.get(name, tuple)(dict.fromkeys(value)) if isinstance(value, list) else value
        for name, value in values.items()
    }
