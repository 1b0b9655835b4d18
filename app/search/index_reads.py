"""The index reads that find candidates: the ranges of postings to read, and filters on their rows.

A range is matched alone and cut at `SCAN` keys before its rows are filtered, so no query examines more,
however common its words. Two common words are found together by the postings of pairs.
"""

import re
import string
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from bson import MinKey

from app.core.cursors import Position
from app.search.dictionary import HIGHEST
from app.search.matching import PHONE, Pattern
from app.search.names import pair
from app.search.neighbours import respelt
from app.search.postings import GRAMS, PLACES, place
from app.search.query_parser import Term, classes_of, dialled
from app.search.whole_reads import INDEX
from app.search.words import LONGEST_RUN, texts
from models.user import SEARCHED

SCAN = 3_000
COMMON = 500
"""A word that more users hold is common: pairs of words are looked up before its postings are gone along."""
MERGED = 200
"""The most postings of one read: with more, MongoDB would sort instead of merging their order."""

_LONGEST_MISSPELT = 32
"""Letters of a local part of which all spellings one edit away are looked up: at most 2,900."""
_SIGNS = "@" + string.ascii_lowercase + string.digits + "._-+"

_MOST_PAIRS = 1_000
"""The most pairs of words that one read looks for."""

Filter = dict[str, Any]
Pipeline = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class IndexRead:
    """The postings, and beginnings of postings, that one read goes along."""

    tokens: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    digits: tuple[str, ...] = ()
    """Instead of postings: what phone numbers hold."""
    facets: Filter | None = None
    """Instead of postings: a filter that the index of facets answers."""
    is_enough: bool = False
    """Whether no further read is needed if this one finds anybody."""
    is_apart: bool = False
    """Whether a word that begins another of the query finds no word that begins so, either."""

    @property
    def hint(self) -> str:
        if self.facets is not None:
            return "facets"
        return "search_digits" if self.digits else INDEX

    def pipeline(self, patterns: Sequence[Pattern], filters: Sequence[Filter], *, limit: int) -> Pipeline:
        held = [holds(pattern, patterns, is_apart=self.is_apart) for pattern in patterns]
        return [
            {"$match": self._along()},
            {"$limit": SCAN},
            {"$match": {"$and": [*held, *filters]}},
            {"$limit": limit},
            {"$project": wanted(patterns)},
        ]

    def _along(self) -> Filter:
        if self.facets is not None:
            return self.facets
        if self.digits:
            return _any_way([has_digits(digits) for digits in self.digits])
        return _any(self.tokens, self.prefixes, past=True)


def wanted(patterns: Sequence[Pattern]) -> dict[str, int]:
    """The projection of the fields that ranking needs."""
    paths = [".".join(SEARCHED[pattern.field].path) for pattern in patterns if pattern.field is not None]
    phones = ["search.p"] if any(pattern.digits for pattern in patterns) else []
    return dict.fromkeys(("search.t", *phones, "keys.name", *paths), 1)


def by_email(typed: str) -> Pipeline:
    """Users whose address is this text or begins with it."""
    begun = {"$gte": typed, "$lt": typed + HIGHEST, "$type": "string"}
    return [{"$match": {"keys.email": begun}}, {"$limit": SCAN}]


def near_email(typed: str) -> list[Pipeline]:
    """Users whose address may be one edit away: before its domain, or in it.

    All spellings of the one are looked up; of the other, addresses with the same local part are compared.
    """
    local, at, _ = typed.partition("@")
    if not typed or len(local) > _LONGEST_MISSPELT:
        return []
    before = set(respelt(typed, _SIGNS if at else "@", upto=len(local) + bool(at))) - {typed}
    some: list[Pipeline] = [
        [{"$match": {"keys.email": {"$in": sorted(before), "$type": "string"}}}, {"$limit": SCAN}]
    ]
    return [*some, by_email(local + at)] if at else some


def by_digits(digits: str, zeros: str | None) -> Pipeline:
    """Users whose phone number contains the digits, with the zeros in front or without."""
    return [{"$match": _any_way([has_digits(one) for one in (zeros, digits) if one])}, {"$limit": SCAN}]


def has_digits(digits: str) -> Filter:
    return {"search.p": _begins(digits)}


def patterns(term: Term) -> list[Pattern]:
    """The patterns of a term: one for a word, several for a run of characters."""
    letters = "".join(classes_of(term.field))
    if term.kind == "cjk":
        return _characters(term, letters)
    exact = frozenset(letter + term.text for letter in letters)
    is_number = term.kind == "digits" and not term.exact and term.field is None
    return [
        Pattern(
            exact,
            word=term.text,
            letters=letters,
            is_strict=term.exact,
            field=term.field,
            is_last=term.is_last,
            nicknames=() if term.exact else term.nicknames,
            digits=dialled(term.text) if is_number else (),
        )
    ]


def _characters(term: Term, letters: str) -> list[Pattern]:
    """One pattern for each two neighbours; any longer part of a name that contains them matches it.

    So does a name that is read so as a whole.
    """
    run, found = term.text[:LONGEST_RUN], []
    read = {letter + spelling for letter in letters for spelling in term.latin}
    for at in range(max(1, len(run) - 1)):
        exact = set(read)
        for letter in letters:
            size = min(GRAMS[letter], len(run))
            starts = range(max(0, min(at + 2, len(run)) - size), min(at, len(run) - size) + 1)
            exact |= {letter + run[start : start + size] for start in starts}
        found.append(Pattern(frozenset(exact), letters=letters, is_strict=True, field=term.field))
    return found


def widen(
    pattern: Pattern, near: Mapping[str, tuple[int, int]], *, count: int = 0, begun: int = 0
) -> Pattern:
    """The pattern, widened to prefixes and to other words, each with its kind of match.

    Numbers are how many users, about: who hold the word (`count`), such a word, a longer one (`begun`).
    """
    if pattern.is_strict:
        return replace(pattern, about=max(1, count))
    longer = [letter + pattern.word for letter in pattern.letters]
    return replace(
        pattern,
        prefixes=(*longer, *(PHONE + digits for digits in pattern.digits)),
        near={letter + word: kind for word, (kind, _) in near.items() for letter in pattern.letters},
        about=count + sum(n for _, n in near.values()) + begun + _with_digits(pattern),
    )


def _with_digits(pattern: Pattern) -> int:
    """About how many of a large directory have the digits somewhere in their phone number."""
    return 3_000_000 // 10 ** min(map(len, pattern.digits)) if pattern.digits else 0


def choose_exact(
    patterns: Sequence[Pattern], counts: Mapping[str, int], filters: Sequence[Filter]
) -> list[IndexRead]:
    """Reads that find all users who match exactly, or most of them where every word is common.

    Where pairs find anybody, the first of a crowd by name would add little.
    """
    rare = sorted(patterns, key=lambda pattern: counts.get(pattern.word, 1))
    alone = IndexRead(tuple(rare[0].exact))
    if counts.get(rare[0].word, 1) <= COMMON:
        return [alone]
    facets = [one for one in filters if "facets" in one]
    named = _placed(rare[0], filters)
    paired = _pairs([rare[0].word], [rare[1].word]) if len(rare) > 1 else []
    chosen = [IndexRead(tuple(named))] if named else []
    chosen += [IndexRead(tuple(paired), is_enough=counts[rare[0].word] > 2 * COMMON)] if paired else []
    return [*chosen, *(IndexRead(facets=one, is_enough=len(rare) == 1) for one in facets[:1]), alone]


def _placed(pattern: Pattern, filters: Sequence[Filter]) -> list[str]:
    """The postings that pair the word with the cities and departments of filters."""
    words = [word for one in filters if "facets" in one for word in _named(one)]
    return [place(pattern.word, word) for word in words if pattern.word and pattern.field in {None, "name"}]


def _named(facets: Filter) -> list[str]:
    """The words of a filter's cities and departments."""
    condition = facets["facets"]
    entries = condition.get("$in", [condition.get("$eq")])
    values = [entry.partition(":") for entry in entries]
    return [word for kind, _, value in values if kind in PLACES for word in texts(value)]


def choose_near(
    patterns: Sequence[Pattern], filters: Sequence[Filter], *, is_apart: bool = False
) -> list[IndexRead]:
    """Reads that find users who match by prefix or typo, or many of them where every word is common.

    `is_apart`: the rows of the rarest word leave out those who have another word that begins alike, whom
    pairs find.
    """
    rare = sorted(patterns, key=lambda pattern: pattern.about)
    is_common = rare[0].about > 2 * COMMON
    facets = [IndexRead(facets=one) for one in filters if "facets" in one and is_common][:1]
    if len(rare) == 1:
        by_class = _by_class(rare[0])
        return [*facets, *by_class] if by_class else []
    alone = IndexRead((*rare[0].exact, *rare[0].near), _longer(rare[0]), is_apart=is_apart)
    if rare[0].digits:
        return [alone, IndexRead(digits=rare[0].digits)]
    if not (is_common or is_apart):
        return [alone]
    one, other = _words(rare[0]), _words(rare[1])
    begun = [f"{sign}{word} {rare[1].word}" for sign in "&+" for word in one if not rare[1].is_strict]
    begun += [f"{sign}{word} {rare[0].word}" for sign in "&+" for word in other if not rare[0].is_strict]
    pairs = tuple(_pairs(one, other))[:_MOST_PAIRS]
    return [*facets, IndexRead(pairs, tuple(begun[:MERGED]), is_enough=rare[0].about > SCAN), alone]


def _longer(pattern: Pattern) -> tuple[str, ...]:
    """The beginnings of postings, without those of phone numbers, which have an index of their own."""
    return tuple(prefix for prefix in pattern.prefixes if prefix[0] != PHONE)


def _by_class(pattern: Pattern) -> list[IndexRead]:
    """Reads of names before the rest, so that a crowd in e-mails hides nobody.

    Users who hold the word itself may be a crowd, too, and are already known.
    """
    classes = [
        IndexRead(near, prefixes)
        for letter in pattern.letters
        for near in [tuple(token for token in pattern.near if token[0] == letter)]
        for prefixes in [tuple(prefix for prefix in pattern.prefixes if prefix[0] == letter)]
        if near or prefixes
    ]
    return [*classes, IndexRead(digits=pattern.digits)] if pattern.digits else classes


def streams(patterns: Sequence[Pattern], counts: Mapping[str, int], filters: Sequence[Filter]) -> list[str]:
    """Postings to page through one after the other, each in the order of names.

    Where a filter names a city, its inhabitants come first: their postings stand close together, while many
    steps along all names might meet none of them.
    """
    rare = sorted(patterns, key=lambda pattern: counts.get(pattern.word, 1))
    alone = sorted(rare[0].exact, key=lambda posting: "ner".index(posting[0]))
    if len(rare) == 1:
        return [*_placed(rare[0], filters), *alone]
    if counts.get(rare[0].word, 1) <= COMMON:
        return alone
    return [*_pairs([rare[0].word], [rare[1].word]), *alone]


def narrowed(patterns: Sequence[Pattern], filters: Sequence[Filter]) -> list[Filter]:
    """Filters on the rows of a stream besides its posting; none for a single word."""
    if len(patterns) == 1 and patterns[0].field is None and not filters:
        return []
    return [*map(holds, patterns), *filters]


def not_exact(patterns: Sequence[Pattern]) -> Filter:
    """A filter that leaves out exact matches, which are known; empty where a word is narrowed to a field."""
    plain = [replace(pattern, near={}, prefixes=()) for pattern in patterns if pattern.field is None]
    return {"$nor": [{"$and": [*map(holds, plain)]}]} if len(plain) == len(patterns) else {}


def scan(
    token: str,
    patterns: Sequence[Pattern],
    narrowed: Sequence[Filter],
    start: Position | None,
    end: Position | None,
    *,
    limit: int,
) -> Filter:
    """A `find` along one posting, in the order of name and id, from `start` to just before `end`.

    With bounds on the index itself, MongoDB has no plan to choose: it goes from key to key and sorts nothing,
    and an id of any type is a good bound.
    """
    return {
        "filter": {"$and": [*narrowed]} if narrowed else {},
        "projection": wanted(patterns),
        "limit": limit,
        **_bounds(token, start, end),
    }


def past(token: str, start: Position | None) -> Filter:
    """A `find` of the row `SCAN` keys after `start`, if there are so many."""
    return {
        "filter": {},
        "projection": {"keys.name": 1},
        "skip": SCAN,
        "limit": 1,
        **_bounds(token, start, None),
    }


def _bounds(token: str, start: Position | None, end: Position | None) -> Filter:
    """The bounds of a posting, up to the last name that is text: BSON sorts objects after strings."""
    first = start or Position(0, "", MinKey())
    last = end or Position(0, {}, MinKey())
    return {
        "hint": INDEX,
        "min": {"search.t": token, "keys.name": first.value, "_id": first.id},
        "max": {"search.t": token, "keys.name": last.value, "_id": last.id},
    }


def holds(pattern: Pattern, patterns: Sequence[Pattern] = (), *, is_apart: bool = False) -> Filter:
    """A filter on rows that match the pattern; of `marion m`, Marion alone does not match `m`."""
    longer = {
        other.word for other in patterns if other is not pattern and other.word.startswith(pattern.word)
    }
    besides = longer if pattern.word and pattern.prefixes else set()
    return _any((*pattern.exact, *pattern.near), pattern.prefixes, besides=besides, is_apart=is_apart)


def _any(
    tokens: Sequence[str],
    prefixes: Sequence[str],
    *,
    past: bool = False,
    besides: Collection[str] = (),
    is_apart: bool = False,
) -> Filter:
    """A filter on any of these; `past` leaves out the prefixes as words, as a crowd with one hides others.

    `besides` are words that no prefix may find, with `is_apart` nor what begins with them.
    """
    ways: list[Filter] = [{"search.t": {"$in": list(tokens)}}] if tokens else []
    for prefix in prefixes:
        if prefix[0] == PHONE:
            ways.append(has_digits(prefix[1:]))
            continue
        one = _begins(prefix, past=past)
        if besides:
            other = f"^{prefix[0]}(?:{'|'.join(map(re.escape, sorted(besides)))}){'' if is_apart else '$'}"
            one["$elemMatch"]["$not"] = {"$regex": other}
        ways.append({"search.t": one})
    return _any_way(ways)


def _any_way(ways: Sequence[Filter]) -> Filter:
    return ways[0] if len(ways) == 1 else {"$or": list(ways)}


def _begins(prefix: str, *, past: bool = False) -> dict[str, Filter]:
    """A condition on one item between both bounds; without `$elemMatch` two items might share them."""
    return {"$elemMatch": {"$gt" if past else "$gte": prefix, "$lt": prefix + HIGHEST}}


def _words(pattern: Pattern) -> list[str]:
    """The whole words that the pattern may stand for."""
    return list(dict.fromkeys([pattern.word, *(posting[1:] for posting in pattern.near)]))


def _pairs(ones: Iterable[str], others: Iterable[str]) -> list[str]:
    """The postings of two words of one user: both in the name, or one of them in city or department."""
    found: dict[str, None] = {}
    for one, other in product(ones, others):
        if one and other and one != other:
            found |= dict.fromkeys((pair(one, other), place(one, other), place(other, one)))
    return list(found)
