"""A user after what a row says of him, and how that differs from what he is."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.imports.columns import address
from models.user import AddressInput, ProfileInput
from models.values import DEFAULT_SCOPES

PARTS: Final = tuple(AddressInput.model_fields)
PROFILE: Final = tuple(name for name in ProfileInput.model_fields if name != "addresses")
_TOP: Final = ("name", "email", "username", "phone", "avatar_url", "locale", "tags", "scopes")
_NOWHERE: Final[dict[str, str | None]] = dict.fromkeys(PARTS)


def blank() -> dict[str, Any]:
    """What a new user is before his row is read; name and e-mail are missing."""
    return {
        **dict.fromkeys(("username", "phone", "avatar_url", "locale")),
        "tags": [],
        "profile": {**dict.fromkeys(PROFILE), "addresses": []},
        "scopes": list(DEFAULT_SCOPES),
        "is_active": True,
    }


def merge(user: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The user with these values. What they do not name stays, and an empty cell (None) removes."""
    merged = dict(user)
    for name in _TOP:
        if name in values:
            merged[name] = values[name]
    if values.get("is_active") is not None:  # nobody is neither active nor inactive
        merged["is_active"] = values["is_active"]
    merged["profile"] = _merge_profile(user["profile"], values)
    return merged


def _merge_profile(profile: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    merged = dict(profile)
    if "profile" in values:
        nested = values["profile"]
        if not isinstance(nested, dict | None):
            return nested  # for the model to refuse
        merged |= nested if nested is not None else {**dict.fromkeys(PROFILE), "addresses": []}
        if merged.get("addresses", ()) is None:
            merged["addresses"] = []
    for name in PROFILE:
        if name in values:
            merged[name] = values[name]
    if "addresses" in merged and isinstance(merged["addresses"], list):
        merged["addresses"] = merge_addresses(merged["addresses"], values)
    return merged


def merge_addresses(stored: list[Any], values: Mapping[str, Any]) -> Any:
    """The addresses after what the columns say of them.

    `address1_city` is of the first one, and so on; with `addresses_more` the list goes on after the columns
    with what stands there. Without it what the user has beyond the columns stays, in its place.
    """
    said: dict[int, dict[str, Any]] = {}
    for name, value in values.items():
        place = address(name)
        if place is not None:
            said.setdefault(place[0] - 1, {})[place[1]] = value
    if "addresses_more" in values:
        return (
            _cut(_overlay(stored, said), 0) + more
            if isinstance(more := values["addresses_more"] or [], list)
            else more
        )
    if not said:
        return stored
    columns = max(said) + 1
    known = _overlay(stored, said)
    rest = stored[columns:]
    if rest:
        return known + [dict(_NOWHERE)] * (columns - len(known)) + rest
    return _cut(known, _unchanged(known, stored))


def _overlay(stored: list[Any], said: Mapping[int, Mapping[str, Any]]) -> list[Any]:
    """The addresses that have columns, empty ones among them."""
    return [
        {**(stored[place] if place < len(stored) and isinstance(stored[place], dict) else _NOWHERE),
         **said.get(place, {})}
        for place in range(max(said, default=-1) + 1)
    ]  # fmt: skip


def _cut(addresses: list[Any], kept: int) -> list[Any]:
    """Without the empty ones at the end, past those that are kept anyway."""
    length = len(addresses)
    while length > kept and not any(value is not None for value in addresses[length - 1].values()):
        length -= 1
    return addresses[:length]


def _unchanged(addresses: list[Any], stored: list[Any]) -> int:
    """How many there are up to the last one that is as it was: an empty one that was empty stays."""
    same = [place for place, (now, was) in enumerate(zip(addresses, stored, strict=False)) if now == was]
    return same[-1] + 1 if same else 0


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What changes, field by field, addresses part by part; lists of texts as one."""
    return list(_differences("", before, after))


def _differences(at: str, before: Any, after: Any) -> Iterator[dict[str, Any]]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from _differences(f"{at}/{name}", before.get(name), after.get(name))
    elif at == "/profile/addresses":
        for place in range(max(len(before), len(after))):
            was, now = (addresses[place] if place < len(addresses) else None for addresses in (before, after))
            yield from _differences(f"{at}/{place}", was, now)
    else:
        yield {"pointer": at, "from": before, "to": after}
