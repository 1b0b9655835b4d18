"""Sample people of many places: the same seed and number always give the same person.

Nothing here reads a clock or a global random generator, so several processes can share the work by `start`.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import shake_128
from itertools import chain, repeat
from math import sqrt
from typing import Any, TypeVar

from app.commands import sample_names

T = TypeVar("T")

FIRST_CREATED = datetime(2023, 9, 1, tzinfo=UTC)
SPAN_MS = 3 * 365 * 86_400_000
"""Everyone was created within these milliseconds after FIRST_CREATED, and signed in within them, if ever."""

_DOMAINS = (
    "example.com",
    "example.org",
    "example.net",
    "mail.example.com",
    "staff.example.org",
    "corp.example",
)
_SCOPES = (
    *repeat(("me",), 80),
    *repeat(("me", "users:read"), 12),
    *repeat(("me", "users:read", "users:write"), 5),
    *repeat(("me", "users:read", "users:export"), 2),
    ("me", "users:read", "users:write", "users:export", "users:admin"),
)
_UNDECOMPOSED = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "ø": "oe",
        "å": "aa",
        "æ": "ae",
        "œ": "oe",
        "ł": "l",
        "ı": "i",
    }
    | {"đ": "d", "ð": "d", "þ": "th"}
)
_SCRAMBLE = 618_033_989  # shares no factor with any number of phone numbers, so that it permutes them


def people(count: int, *, seed: int = 7, start: int = 0) -> Iterator[dict[str, Any]]:
    """Persons `start` to `start + count - 1`, in the shape of the API's create body.

    They also have fields that a directory records itself: is_active, scopes, email_verified, created_at, and
    mostly last_login_at (both UTC, whole milliseconds) and last_login_ip. E-mails and usernames are unique
    for any number of people, phone numbers for the first ten million.
    """
    for index in range(start, start + count):
        yield _person(seed, index)


class _Dice:
    """Random draws that depend only on seed and number: 1,024 bits, of which some 600 are used."""

    __slots__ = ("_pool",)

    def __init__(self, seed: int, index: int) -> None:
        self._pool = int.from_bytes(shake_128(b"%d:%d" % (seed, index)).digest(128), "little")

    def below(self, bound: int) -> int:
        self._pool, drawn = divmod(self._pool, bound)
        return drawn

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def pick(self, words: Sequence[T]) -> T:
        return words[self.below(len(words))]


@dataclass(frozen=True, slots=True)
class _Word:
    native: str
    latin: str  # a to z only


@dataclass(frozen=True, slots=True)
class _City:
    name: str
    region: str
    zip_start: str
    zip_digits: int
    zip_end: str


@dataclass(frozen=True, slots=True)
class _Place:
    """A `sample_names.Place` with its words split and repeated by their frequency."""

    words: sample_names.Place
    given: tuple[_Word, ...]
    family: tuple[_Word, ...]
    cities: tuple[_City, ...]
    departments: tuple[str, ...]
    titles: tuple[str, ...]


def _person(seed: int, index: int) -> dict[str, Any]:
    dice = _Dice(seed, index)
    place = dice.pick(_places())
    given, family = _given(dice, place), _family(dice, place)
    created = dice.below(SPAN_MS)
    person: dict[str, Any] = {
        "name": place.words.order.format(given=given.native, family=family.native),
        "email": _email(dice, given.latin, family.latin, index),
    }
    if dice.chance(70):
        person["username"] = _username(dice, given.latin, family.latin, index)
    if dice.chance(80):
        person["phone"] = _phone(place, seed, index)
    if dice.chance(40):
        person["avatar_url"] = f"https://img.example.com/avatars/{index}.png"
    if dice.chance(80):
        person["locale"] = place.words.locale
    person["tags"] = _tags(dice)
    person["profile"] = _profile(dice, place)
    person["is_active"] = not dice.chance(5)
    person["scopes"] = list(dice.pick(_SCOPES))
    person["created_at"] = FIRST_CREATED + timedelta(milliseconds=created)
    if dice.chance(60):
        signed_in = created + dice.below(SPAN_MS - created)
        person["last_login_at"] = FIRST_CREATED + timedelta(milliseconds=signed_in)
        person["last_login_ip"] = _address_of_documentation(dice)
    person["email_verified"] = dice.chance(75)
    return person


def _given(dice: _Dice, place: _Place) -> _Word:
    first = dice.pick(place.given)
    if not dice.chance(place.words.second_given):
        return first
    second = dice.pick(place.given)
    return _Word(f"{first.native} {second.native}", first.latin)


def _family(dice: _Dice, place: _Place) -> _Word:
    first = dice.pick(place.family)
    if not dice.chance(place.words.second_family):
        return first
    second = dice.pick(place.family)
    if "-" in first.native + second.native:
        return first  # nobody has three
    return _Word(first.native + place.words.family_joint + second.native, first.latin + second.latin)


def _email(dice: _Dice, given: str, family: str, index: int) -> str:
    """A unique e-mail: the part before the number never ends in a digit."""
    form = dice.below(5)
    if form == 0:
        local = f"{given[0]}.{family}"
    elif form == 1:
        local = f"{family}_{given}"
    elif form == 2:  # noqa: PLR2004  # one of five forms
        local = given + family
    else:
        local = f"{given}.{family}"
    if dice.chance(5):
        local = local.title()
    return f"{local[:40]}{index}@{dice.pick(_DOMAINS)}"


def _username(dice: _Dice, given: str, family: str, index: int) -> str:
    form = dice.below(4)
    if form == 0:
        return f"{given}-{family[0]}{index}"
    if form == 1:
        return f"{given.title()}{family[0].upper()}{index}"
    return f"{given[0]}{family[:24]}{index}"


def _phone(place: _Place, seed: int, index: int) -> str:
    phones, digits = place.words.phones, place.words.phone_digits
    each = 10**digits
    number = (index * _SCRAMBLE + seed * 97) % (each * len(phones))
    return f"{phones[number // each]}{number % each:0{digits}d}"


def _tags(dice: _Dice) -> list[str]:
    count = max(0, dice.below(6) - 2)
    return list(dict.fromkeys(dice.pick(_words("tags")) for _ in range(count)))


def _profile(dice: _Dice, place: _Place) -> dict[str, Any]:
    profile: dict[str, Any] = {}
    if dice.chance(45):
        profile["bio"] = dice.pick(place.words.bios)
    if dice.chance(85):
        profile["age"] = 18 + dice.below(37) + dice.below(37)
    if dice.chance(65):
        profile["title"] = dice.pick(place.titles)
    if dice.chance(75):
        profile["department"] = dice.pick(place.departments)
    count = max(0, dice.below(7) - 2)
    profile["addresses"] = [_address(dice, place) for _ in range(count)]
    return profile


def _address(dice: _Dice, place: _Place) -> dict[str, str]:
    city = dice.pick(place.cities)
    address = {}
    if dice.chance(70):
        address["label"] = dice.pick(_words("labels"))
    if dice.chance(92):
        number = 1 + dice.below(220)
        address["street"] = place.words.street.format(street=dice.pick(place.words.streets), number=number)
    address["city"] = city.name
    if dice.chance(65):
        address["region"] = city.region
    if dice.chance(88):
        digits = dice.below(10**city.zip_digits)
        drawn = f"{digits:0{city.zip_digits}d}" if city.zip_digits else ""
        address["zipcode"] = city.zip_start + drawn + city.zip_end
    if dice.chance(92):
        address["country"] = place.words.country_name if dice.chance(10) else place.words.country
    return address


def _address_of_documentation(dice: _Dice) -> str:
    """An IP address that RFC 5737 and RFC 3849 reserve for examples."""
    if dice.chance(20):
        return f"2001:db8:{1 + dice.below(0xFFFE):x}:{1 + dice.below(0xFFFE):x}::{1 + dice.below(0xFFFE):x}"
    return f"{dice.pick(('192.0.2', '198.51.100', '203.0.113'))}.{1 + dice.below(254)}"


@cache
def _places() -> tuple[_Place, ...]:
    """The places, each repeated by its weight."""
    cut = [(_cut(place), place.weight) for place in sample_names.places()]
    return tuple(chain.from_iterable(repeat(place, weight) for place, weight in cut))


@cache
def _words(name: str) -> tuple[str, ...]:
    return _by_rank(sample_names.words(name))


def _cut(place: sample_names.Place) -> _Place:
    return _Place(
        words=place,
        given=_by_rank([_word(text) for text in place.given]),
        family=_by_rank([_word(text) for text in place.family]),
        cities=_by_rank([_city(text) for text in place.cities]),
        departments=_by_rank(place.departments),
        titles=_by_rank(place.titles),
    )


def _by_rank(words: Sequence[T]) -> tuple[T, ...]:
    """Words repeated by rank: that of rank r 1/sqrt(r) times as often as the first, as surnames are."""
    often = (round(3 * sqrt(len(words) / (rank + 1))) for rank in range(len(words)))
    return tuple(chain.from_iterable(repeat(word, times) for word, times in zip(words, often, strict=True)))


def _word(text: str) -> _Word:
    native, _, latin = text.partition("/")
    plain = unicodedata.normalize("NFKD", (latin or native).lower().translate(_UNDECOMPOSED))
    return _Word(native, "".join(letter for letter in plain if "a" <= letter <= "z"))


def _city(text: str) -> _City:
    name, region, code = text.split("/")
    start, mark, _ = code.partition("#")
    digits = code.count("#")
    return _City(name, region, start, digits, code[len(start) + digits :] if mark else "")
