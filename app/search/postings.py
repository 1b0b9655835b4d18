"""The postings by which a user is found, and the user's words for the dictionary.

A posting is a class letter and a word: `nmuller` of the name, `eanna` of e-mail or username, `rberlin` of
tags, city, department or title. A word has a posting of its best class only, a substring of Han, kana or
Hangul of each class. A pair of words is one posting, so that two common words find few users: `&anna meier`
both of the name, `+anna berlin` one of the name and one of city or department. The domain of the e-mail
address is a posting, too: `e@example.com`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made_by
from itertools import islice
from typing import Any

from app.search.names import joined, read_aloud, take_apart
from app.search.words import LONGEST_RUN, cut, fold, runs, script, spelled_out, texts
from models.user import SEARCHED

VERSION = 3
"""The version of the scheme: a document with another one must be indexed again."""

NAME, LOGIN, REST = "n", "e", "r"
GRAMS = {NAME: 4, LOGIN: 2, REST: 2}
"""The longest substrings of runs, in characters, among the postings of each class."""
SHORTEST_NUMBER = 3
"""The fewest digits that find a phone number."""

PLACES = ("city", "department")
"""Fields whose words stand in a pair with those of the name."""
_OTHERS = sorted(
    (
        field
        for name, field in SEARCHED.items()
        if name not in ("name", "username", "email", "phone", *PLACES)
    ),
    key=lambda field: -len(field.path),
)
_LONGEST = 320
_LONGEST_DOMAIN = 64
_MOST_DOMAINS = 4
_MOST_WORDS, _MOST_POSTINGS = 120, 200
_PLACED, _PLACES = 4, 6
_PARTS = re.compile(r"[0-9]{2,}|[^0-9]{2,}")
_DIGIT = re.compile(r"[0-9]")
_HOSTS = frozenset({"www", "mail"})


@dataclass(frozen=True, slots=True)
class Indexed:
    t: list[str]
    p: list[str]
    """Every suffix of three or more digits of the phone number: all its substrings are prefixes of these."""
    words: dict[str, bool]
    """Words for the dictionary, each with whether only e-mail or username has it.

    Words with digits are left out, as a directory has as many of those as users, and so are joined words that
    no address or username has as one. Domains are included: the dictionary tells whether a text can be one.
    """


@dataclass(slots=True)
class _FieldWords:
    """The words of the fields of one class."""

    kind: str
    written: list[str] = made_by(default_factory=list)
    aliases: list[str] = made_by(default_factory=list)
    joined: list[str] = made_by(default_factory=list)
    runs: list[str] = made_by(default_factory=list)

    def read(self, text: str | None) -> list[str]:
        """Add the words of a field, and return them."""
        if not text:
            return []
        words = cut(texts(text[:_LONGEST]))
        self.written += words
        if not text.isascii():
            self.aliases += cut(spelled_out(text[:_LONGEST]))
            self.runs += runs(words)
        return words

    def spaced(self) -> Iterator[str]:
        """All words that are no runs; of schmidt92 also its parts."""
        for word in (*self.written, *self.aliases):
            if not script(word):
                yield word
                if not word.isalpha() and _DIGIT.search(word):
                    yield from _PARTS.findall(word)

    def grams(self) -> Iterator[str]:
        for run in self.runs:
            for gram in grams(run, GRAMS[self.kind]):
                yield self.kind + gram


def place(name: str, other: str) -> str:
    """The posting of a word of the name and one of city or department."""
    return f"+{name} {other}"


def grams(run: str, longest: int) -> list[str]:
    """Every substring of a run up to that length."""
    known = run[:LONGEST_RUN]
    sizes = range(1, min(longest, len(known)) + 1)
    return [known[start : start + size] for size in sizes for start in range(len(known) - size + 1)]


def index(user: Mapping[str, Any]) -> Indexed:
    """The search fields of a stored user: always the same, in the same order."""
    profile = user.get("profile") or {}
    name = take_apart(user.get("name") or "")
    called = _FieldWords(NAME, name.words, name.aliases, name.joined, runs(name.words))
    logins = _logins(user.get("email") or "", user.get("username"))
    domains = _domains(user.get("email") or "")
    rest = _places(profile)
    near = rest.written[:_PLACES]
    for field in _OTHERS:
        for text in field.values(user):
            rest.read(text)
    classes = _classes((called, logins, rest))
    glued = {*called.joined, *logins.joined}.difference(called.spaced(), logins.spaced())
    postings = (
        *(kind + word for word, kind in classes.items()),
        *(LOGIN + domain for domain in domains),
        *called.grams(),
        *name.pairs,
        *logins.grams(),
        *_placed(name.words[:_PLACED], name.spoken, near),
        *rest.grams(),
    )
    return Indexed(
        t=list(dict.fromkeys(postings))[:_MOST_POSTINGS],
        p=_suffixes(user.get("phone") or ""),
        words={
            word: kind == LOGIN or word in called.joined
            for word, kind in classes.items()
            if len(word) > 1 and word not in glued and _fuzzy(word)
        }
        | dict.fromkeys(domains, True),
    )


def _classes(all_found: Iterable[_FieldWords]) -> dict[str, str]:
    """The best class of each word: the first in which it occurs."""
    classes: dict[str, str] = {}
    for found in all_found:
        for word in (*found.spaced(), *found.joined):
            classes.setdefault(word, found.kind)
    return classes if len(classes) <= _MOST_WORDS else dict(islice(classes.items(), _MOST_WORDS))


def _fuzzy(word: str) -> bool:
    return word.isalpha() or not _DIGIT.search(word)


def _logins(email: str, username: str | None) -> _FieldWords:
    """The words of the local part, of the username, and of the domain without its last label."""
    local, _, domain = email.rpartition("@")
    logins = _FieldWords(LOGIN)
    for login in (local, username):
        logins.joined += joined(logins.read(login))
    logins.written += domain_words(domain)
    return logins


def domain_words(domain: str) -> list[str]:
    """The words that distinguish domains: not the last label, not `www` or `mail`."""
    labels = domain[:_LONGEST].split(".")
    return [word for word in cut(texts(" ".join(labels[:-1] or labels))) if word not in _HOSTS]


def as_domain(text: str) -> str:
    """A domain as postings and the dictionary have it: `@example.com`."""
    return f"@{fold(text.removeprefix('@'))[:_LONGEST_DOMAIN]}"


def _domains(email: str) -> list[str]:
    """The domain and its parents: of mail.example.com also example.com."""
    labels = fold(email.rpartition("@")[2][:_LONGEST]).split(".")
    starts = range(min(_MOST_DOMAINS, max(1, len(labels) - 1)))
    return [as_domain(".".join(labels[start:])) for start in starts if labels[start]]


def _places(profile: Mapping[str, Any]) -> _FieldWords:
    """The words of cities, with their pinyin, and of the department."""
    places = _FieldWords(REST)
    for address in profile.get("addresses") or ():
        words = places.read(address.get("city"))
        places.aliases += cut(whole for reading in read_aloud(words) for whole in reading.whole)
    places.read(profile.get("department"))
    return places


def _placed(words: list[str], spoken: list[str], near: list[str]) -> Iterator[str]:
    """Pairs of a word of the name with one of city or department; readings go only with Latin."""
    for other in near:
        for word in words if script(other) else (*words, *spoken):
            yield place(word, other)


def _suffixes(phone: str) -> list[str]:
    digits = phone.removeprefix("+")
    return [digits[start:] for start in range(len(digits) - SHORTEST_NUMBER + 1)]
