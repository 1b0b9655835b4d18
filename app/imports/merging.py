"""A user after what a row says of them."""

from collections.abc import Mapping
from typing import Any, Final

from app.imports.mapped_columns import is_of_addresses
from app.spreadsheets.assembly import merge_addresses
from models.user import FIELDS, AddressInput, ProfileInput, UserInput

PARTS: Final = tuple(AddressInput.model_fields)
PROFILE: Final = tuple(name for name in ProfileInput.model_fields if name != "addresses")
REQUIRED: Final = tuple(name for name, info in UserInput.model_fields.items() if info.is_required())
BLANK: Final[Mapping[str, Any]] = UserInput.model_construct(name="", email="").model_dump(exclude={*REQUIRED})
"""A new user before their row is read, without required values."""
_TOP: Final = UserInput.model_fields.keys() - {"profile"}
_LISTS: Final = tuple(name for name, value in BLANK["profile"].items() if value == [])
_FLAGS: Final = {each.name for each in FIELDS if each.kind.type is bool and not each.may_be_missing}
_NOWHERE: Final[dict[str, str | None]] = dict.fromkeys(PARTS)


def merge(user: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The user with these values. Other fields stay, and an empty cell (None) removes."""
    given = {
        name: value
        for name, value in values.items()
        if name in _TOP and (value is not None or name not in _FLAGS)  # a flag is never missing
    }
    return {**user, **given, "profile": _merge_profile(user["profile"], values)}


def _merge_profile(profile: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    merged = dict(profile)
    if "profile" in values:
        nested = values["profile"]
        if not isinstance(nested, dict | None):
            return nested  # for the model to refuse
        merged |= nested if nested is not None else BLANK["profile"]
        merged |= {name: [] for name in _LISTS if merged.get(name, ()) is None}
    for name in PROFILE:
        if name in values:
            merged[name] = values[name]
    if isinstance(merged.get("addresses"), list):
        merged["addresses"] = _merge_addresses(merged["addresses"], values)
    return merged


def _merge_addresses(stored: list[Any], values: Mapping[str, Any]) -> list[Any]:
    """The merged addresses; anything but a list stays as it is, for the model to refuse."""
    said = {name: value for name, value in values.items() if is_of_addresses(name)}
    if not said:
        return stored
    rest = said.get("addresses_more") or []
    if not isinstance(rest, list) or not all(isinstance(each, dict) for each in [*stored, *rest]):
        return rest if "addresses_more" in said else stored
    return [{**_NOWHERE, **each} for each in merge_addresses(said, stored)]
