"""Queries by people who know somebody by a nickname, by ear, or by more names than are stored."""

from random import Random

from benchmarks.search_queries.directory import Directory, Person
from benchmarks.search_queries.kinds import Kind, Query, query
from benchmarks.search_queries.text import is_east_asian

_NICKNAMES = {
    "james": "jim", "robert": "bob", "john": "jack", "jennifer": "jenny", "michael": "mike",
    "william": "bill", "elizabeth": "liz", "david": "dave", "richard": "dick", "joseph": "joe",
    "thomas": "tom", "charles": "chuck", "christopher": "chris", "daniel": "dan", "matthew": "matt",
    "anthony": "tony", "steven": "steve", "andrew": "andy", "joshua": "josh", "kenneth": "ken",
    "patricia": "pat", "susan": "sue", "margaret": "peggy", "katherine": "kate", "oliver": "ollie",
    "francisco": "paco", "antonio": "toño", "jose": "pepe", "guadalupe": "lupita", "giuseppe": "beppe",
    "katarzyna": "kasia", "malgorzata": "gosia", "johannes": "hannes",
}  # fmt: skip
_SOUNDS = (
    ("ph", "f"), ("ck", "k"), ("tz", "z"), ("sch", "sh"), ("th", "t"), ("ei", "ai"), ("ee", "ea"),
    ("ou", "u"), ("ie", "y"), ("ll", "l"), ("tt", "t"), ("nn", "n"), ("ss", "s"), ("rr", "r"), ("mm", "m"),
    ("c", "k"), ("y", "i"), ("v", "f"), ("w", "v"), ("z", "s"), ("er", "ar"), ("e", "a"), ("o", "u"),
)  # fmt: skip
_LEAST_CHANGED = 2
_TITLES = ("dr", "prof", "mr", "mrs", "herr", "frau", "mme", "sr")
_MIDDLE = ("quentin", "philomena", "bartholomew", "xaveria")


def nickname(person: Person, directory: Directory, _: Random) -> Query | None:
    """Nobody may have the nickname for a name."""
    if len(person.words) != 2 or person.words[0] not in _NICKNAMES:
        return None
    typed = (_NICKNAMES[person.words[0]], person.words[1])
    if directory.anywhere_starting(*typed):
        return None
    return query(" ".join(typed), directory.named(*person.words))


def by_ear(person: Person, directory: Directory, dice: Random) -> Query | None:
    """A surname spelled as it sounds, two typos or more away, and the given name as it is."""
    if len(person.words) != 2 or not all(word.isascii() and len(word) > 5 for word in person.words):
        return None
    given, family = person.words
    heard = family
    for written, sound in dice.sample(_SOUNDS, len(_SOUNDS)):
        if written in heard[1:]:
            heard = heard[0] + heard[1:].replace(written, sound, 1)
        if sum(one != other for one, other in zip(heard, family, strict=False)) >= _LEAST_CHANGED:
            break
    if heard == family or directory.anywhere_starting(given, heard):
        return None
    near = directory.named(given) & directory.near(heard, 1)
    return query(f"{given} {heard}", directory.named(given, family)) if not near else None


def title(person: Person, directory: Directory, dice: Random) -> Query | None:
    return _with(person, directory, dice.choice(_TITLES), before=True)


def middle_name(person: Person, directory: Directory, dice: Random) -> Query | None:
    return _with(person, directory, dice.choice(_MIDDLE), before=False)


def _with(person: Person, directory: Directory, more: str, *, before: bool) -> Query | None:
    if len(person.words) != 2 or is_east_asian(person.name):
        return None
    if directory.anywhere_starting(more, *person.words):
        return None
    given, family = person.words
    typed = (more, given, family) if before else (given, more, family)
    return query(" ".join(typed), directory.named(*person.words))


KINDS = (
    Kind("by ear", "nickname and surname", nickname),
    Kind("by ear", "surname as it sounds", by_ear),
    Kind("more than stored", "a title before the name", title),
    Kind("more than stored", "a middle name that is not stored", middle_name),
)
