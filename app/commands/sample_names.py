"""The words sample people are made of, as `sample_names.toml` beside this module holds them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """One country's people; `order` and `street` are formats over given, family and street, number."""

    locale: str
    weight: int
    given: list[str]
    family: list[str]
    cities: list[str]
    streets: list[str]
    country: str  # as directories store it: an ISO 3166 code, or the native name
    country_name: str  # the other spelling that one address in ten has
    phones: list[str]  # E.164 prefixes of mobile numbers
    phone_digits: int  # how many follow the prefix
    bios: list[str]
    departments: list[str]
    titles: list[str]
    order: str = "{given} {family}"
    street: str = "{street} {number}"
    second_given: int = 0  # per cent of people with a second given name
    second_family: int = 0  # per cent of people with a second surname, joined by `family_joint`
    family_joint: str = "-"


@cache
def words(name: str) -> list[str]:
    """The words of everybody, whatever the place: `tags` or `labels`."""
    return list(_read()[name])


@cache
def places() -> tuple[Place, ...]:
    """A place without departments or titles of its own has the English ones."""
    names = _read()
    english = {name: names[name] for name in ("departments", "titles")}
    return tuple(Place(**(english | place)) for place in names["places"])


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads((resources.files(__package__) / "sample_names.toml").read_text(encoding="utf-8"))
