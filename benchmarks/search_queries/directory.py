"""Everybody of a sample by what a query may describe: a truth is looked up here, in plain sets."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from benchmarks.search_queries.text import distance, is_east_asian, words

_PARTS = re.compile(r"[a-z]+|\d+")
_DOTTED = re.compile(r"[a-z0-9]+")
_JOINED = re.compile(r"[^a-z0-9@]|@.*")
_NUMBER = re.compile(r"(\d+)@")
_KNOWN = 10_000
"""The first so many may be asked for: a directory of so many holds all answers, and no larger one fewer."""


@dataclass(frozen=True, slots=True)
class Person:
    number: int
    name: str
    words: tuple[str, ...]
    email: str
    username: str | None
    phone: str
    """Digits only; empty without one."""
    cities: tuple[str, ...]
    department: str | None


def number(email: str) -> int:
    """Which sample person has the address: it ends in the number."""
    found = _NUMBER.search(email)
    return int(found[1]) if found else -1


def parts(text: str) -> set[str]:
    """Of an address or username: what stands between dots and such, letters and digits apart, all joined."""
    small = text.lower()
    return {*_DOTTED.findall(small), *_PARTS.findall(small), *_DOTTED.findall(_JOINED.sub("", small))}


class Directory:
    """`known` are the people to ask for; the lookups answer the numbers of all people who fit."""

    def __init__(self, people: Iterable[dict[str, Any]]) -> None:
        self.known: list[Person] = []
        self.names: list[str] = []
        self.emails: list[str] = []
        self.usernames: list[str] = []
        self.phones: list[str] = []
        self.in_city: dict[str, set[int]] = defaultdict(set)
        self.in_department: dict[str, set[int]] = defaultdict(set)
        self.other_texts: set[str] = set()
        """Cities, departments, titles and tags."""
        self._by_name_word: dict[str, list[int]] = defaultdict(list)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        for which, said in enumerate(people):
            self._add(which, said)

    def _add(self, which: int, said: dict[str, Any]) -> None:
        profile = said["profile"]
        person = Person(
            number=which,
            name=said["name"],
            words=words(said["name"]),
            email=said["email"],
            username=said.get("username"),
            phone=said.get("phone", "")[1:],
            cities=tuple(dict.fromkeys(address["city"] for address in profile["addresses"])),
            department=profile.get("department"),
        )
        if which < _KNOWN:
            self.known.append(person)
        self.names.append(person.name)
        self.emails.append(person.email.lower())
        self.usernames.append((person.username or "").lower())
        self.phones.append(person.phone)
        for city in person.cities:
            self.in_city[city].add(which)
        if person.department:
            self.in_department[person.department].add(which)
        others = {*person.cities, *said["tags"], person.department or "", profile.get("title", "")}
        self.other_texts |= others
        for word in set(person.words):
            self._by_name_word[word].append(which)
        named = chain(person.words, *map(words, others))
        joined = "".join(person.words)
        for word in {*named, joined, *parts(person.email), *parts(person.username or ""), person.phone}:
            self._by_word[word].append(which)

    def named(self, *asked: str) -> set[int]:
        """All the words are words of the name."""
        return _all(set(self._by_name_word.get(word, ())) for word in asked)

    def starting(self, part: str) -> set[int]:
        """A word of the name begins so."""
        return set(chain.from_iterable(self._by_name_word[word] for word in self.name_words_starting(part)))

    def name_words_starting(self, part: str) -> list[str]:
        return list(_starting(self._name_words, part))

    def near(self, typed: str, within: int) -> set[int]:
        """A word of the name is at most so many typos away."""
        return set(chain.from_iterable(self._by_name_word[word] for word in self._near(typed, within)))

    def begun_near(self, typed: str, *, among: set[int] | None) -> set[int]:
        """A word of the name has a beginning at most one typo away."""
        spellings = (
            self._name_words
            if among is None
            else {word for which in among for word in words(self.names[which])}
        )
        near = (word for word in spellings if _is_begun_near(typed, word))
        found = set(chain.from_iterable(self._by_name_word[word] for word in near))
        return found if among is None else found & among

    def anywhere(self, *asked: str) -> set[int]:
        """Each word is a word of any field."""
        return _all(set(self._by_word.get(word, ())) for word in asked)

    def anywhere_starting(self, *asked: str) -> set[int]:
        """Each word begins a word of any field."""
        return _all(
            set(chain.from_iterable(self._by_word[word] for word in _starting(self._words, part)))
            for part in asked
        )

    def those_named(self, fits: Callable[[str], bool]) -> set[int]:
        """By the name as it is stored."""
        return set(chain.from_iterable(who for name, who in self.by_name.items() if fits(name)))

    @cached_property
    def by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for which, name in enumerate(self.names):
            found[name].append(which)
        return found

    @cached_property
    def by_east_asian_name(self) -> dict[str, list[int]]:
        return {name: who for name, who in self.by_name.items() if is_east_asian(name)}

    def has_digits(self, digits: str) -> set[int]:
        """A phone number, e-mail address or username has these digits, or other letters in a row."""
        return {self._line(found.start()) for found in re.finditer(re.escape(digits), self._numbered)}

    def ending_in(self, digits: str) -> set[int]:
        """The phone number ends so."""
        return {which for which, phone in enumerate(self.phones) if phone.endswith(digits)}

    @cached_property
    def by_email(self) -> dict[str, int]:
        return {email: which for which, email in enumerate(self.emails)}

    def _line(self, place: int) -> int:
        return bisect_right(self._line_starts, place) - 1

    @cached_property
    def _numbered(self) -> str:
        """A line for each person."""
        fields = zip(self.phones, self.emails, self.usernames, strict=True)
        return "\n".join(" ".join(texts) for texts in fields)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self._numbered))]

    @cached_property
    def _name_words(self) -> list[str]:
        return sorted(self._by_name_word)

    @cached_property
    def _words(self) -> list[str]:
        return sorted(self._by_word)

    def _near(self, typed: str, within: int) -> list[str]:
        return [
            word
            for word in self._name_words
            if abs(len(word) - len(typed)) <= within
            and len(set(word) ^ set(typed)) <= 2 * within  # each edit takes at most one letter and adds one
            and distance(typed, word) <= within
        ]


def _is_begun_near(typed: str, word: str) -> bool:
    lengths = range(len(typed) - 1, min(len(word), len(typed) + 1) + 1)
    has_letters = len(set(typed) - set(word[: len(typed) + 1])) <= 1
    return has_letters and any(distance(typed, word[:length]) <= 1 for length in lengths)


def _starting(ordered: list[str], part: str) -> Iterator[str]:
    place = bisect_left(ordered, part)
    while place < len(ordered) and ordered[place].startswith(part):
        yield ordered[place]
        place += 1


def _all(sets: Iterable[set[int]]) -> set[int]:
    found = iter(sets)
    left = next(found)
    for one in found:
        left &= one
    return left
