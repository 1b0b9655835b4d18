"""The parser of the query language: cuts the text of `q` into terms.

All words must match. "Quoted" words are exact, `city:berlin` narrows a word to a field, `name:"anna maria"`
does both. Anything else is plain text; no other sign has a meaning.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from app.core.errors import FieldError, InvalidError
from app.core.normalise import canonical, typed_email_key
from app.search import japanese
from app.search.keyboards import other_layouts
from app.search.nicknames import nicknames_of
from app.search.postings import LOGIN, NAME, REST, SHORTEST_NUMBER, as_domain, domain_words
from app.search.words import LONGEST_WORD, fold, script, texts
from models import phones
from models.user import SEARCHED

Kind = Literal["word", "cjk", "digits"]

LONGEST = 200
MOST_TERMS = 10
_MOST_JOINED = 4
"""The most words of a query of which two neighbours, or all, are tried as one."""

_CLASSES: dict[str | None, tuple[str, ...]] = {
    "name": (NAME,), "username": (NAME, LOGIN), "email": (NAME, LOGIN), "phone": (),
}  # fmt: skip
"""The classes in which a word of a field may stand (its best class counts); of other fields: any."""
_FIELDS = "|".join(SEARCHED)
_PART = re.compile(rf'(?:({_FIELDS}):\s*)?(?:"([^"]*)"|([^\s"]+))', re.IGNORECASE)
_UNFINISHED = re.compile(rf"(?:{_FIELDS}):", re.IGNORECASE)
_QUOTES = str.maketrans("“”„‟«»＂：", '""""""":')
_UNTYPED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_PHONE = re.compile(r"(?:phone:)?\s*(\+?[0-9\s().\-/\u2010-\u2015]+)")
_TRUNK = re.compile(r"\(\s*0\s*\)")
_NOT_DIGIT = re.compile(r"[^0-9]+")
_DOMAIN = re.compile(r"@[\w.-]+|[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(r"(?:email:)?\s*((?=[^@.]*[@.])[^\s\":]{6,})", re.IGNORECASE)
_USERNAME = re.compile(r"(?:username:)?\s*([^\s@\":]+)", re.IGNORECASE)
_EMAIL = re.compile(r"(?:email:)?\s*([^\s@\":]+@[^\s@\":]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query; of kind "cjk", a run of Han, kana or Hangul, to be found as a substring."""

    text: str  # folded
    exact: bool
    is_last: bool
    """Whether it may be half typed; a word in quotes never is."""
    field: str | None
    kind: Kind
    latin: tuple[str, ...] = ()
    """The spellings of a run of kana: kanji that are read so are found by them."""
    nicknames: tuple[str, ...] = ()
    """What people with this name are called, or the names that it may stand for."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. Without terms it finds nobody."""

    terms: tuple[Term, ...]
    email: str | None = None
    """The query as it would stand in `keys.email`, where it is an e-mail address or its beginning."""
    address: str | None = None
    """A text that may be a whole e-mail address, misspelt."""
    username: str | None = None
    """The query as it would stand in `keys.username`, where it is one word, whatever its signs."""
    digits: str | None = None
    """Its digits without +, 00 or 0, where the query can be a phone number or a part of one."""
    zeros: str | None = None
    """The digits with 0 or 00, which may be part of the number: those who have them so come first."""
    domains: tuple[Term, ...] = ()
    """The terms if texts that look like domains are domains; empty where none does."""
    typed: str = ""
    """The text, where it can have been typed with the keyboard set to another layout."""


def parse(q: str, *, region: str | None = None, nicknames: bool = False) -> Query:
    """The query of a text; `region` is the country whose national phone numbers are accepted.

    Of more than `MOST_TERMS` words, the first are read.

    InvalidError where it is too long or contains characters that nobody types.
    """
    if len(q) > LONGEST:
        raise _invalid(f"Must be at most {LONGEST} characters long.")
    if _UNTYPED.search(q):
        raise _invalid("Must not contain control characters or halves of surrogate pairs.")
    typed = q.translate(_QUOTES).strip()
    parts = [match.groups() for match in _PART.finditer(typed)]
    terms = [term for part in parts for term in _terms(*part, region=region)][:MOST_TERMS]
    if terms and not terms[-1].exact:
        terms[-1] = replace(terms[-1], is_last=True)
    if nicknames:
        terms = [replace(term, nicknames=nicknames_of(term.text)) for term in terms]
    email, phone = _EMAIL.fullmatch(typed), _PHONE.fullmatch(fold(typed))
    username, address = _USERNAME.fullmatch(typed), _ADDRESS.fullmatch(typed)
    return Query(
        terms=tuple(terms),
        email=typed_email_key(email[1]) if email else None,
        address=_address(address[1]) if address else None,
        username=canonical(username[1]) if username and terms and terms[0].kind == "word" else None,
        digits=_phone_digits(phone[1], region) if phone else None,
        zeros=_with_zeros(phone[1]) if phone else None,
        domains=tuple(term for part in parts for term in _domain(*part) or _terms(*part, region=region))
        if any(_domain(*part) for part in parts)
        else (),
        typed="" if any(term.exact or term.field for term in terms) else q,
    )


def retype(query: Query) -> list[Query]:
    """The query as the same keys type it in other layouts of the keyboard."""
    typed = [text.split() for text in other_layouts(query.typed)]
    read = [
        tuple(term for word in words for term in _terms(None, None, word, region=None)) for words in typed
    ]
    return [Query(terms) for terms in read if terms]


def join(query: Query) -> list[Query]:
    """The query with parts of a phone number as one, then with two neighbouring words as one, then with all.

    `mc donald` may be stored as one word.
    """
    terms = query.terms
    tries = [numbers] if len(numbers := _join_digits(terms)) < len(terms) else []
    if len(terms) <= _MOST_JOINED and not any(
        term.kind != "word" or term.exact or term.field for term in terms
    ):
        tries += [
            (*terms[:at], _joined(terms[at : at + 2]), *terms[at + 2 :]) for at in range(len(terms) - 1)
        ]
        if len(terms) > 2:  # noqa: PLR2004 - two are joined already
            tries.append((_joined(terms),))
    return [Query(tuple(joined)) for joined in tries]


def _join_digits(terms: Sequence[Term]) -> tuple[Term, ...]:
    found: list[Term] = []
    for part, row in groupby(
        terms, key=lambda term: term.kind == "digits" and not (term.exact or term.field)
    ):
        together = tuple(row)
        found += [_joined(together)] if part else together
    return tuple(found)


def dialled(digits: str) -> tuple[str, ...]:
    """How a phone number may hold the digits: as they are, and without the 0 or 00 before them."""
    bare = digits.removeprefix("00").removeprefix("0")
    ways = dict.fromkeys(way for way in (digits, bare) if len(way) >= SHORTEST_NUMBER)
    return tuple(ways)


def _joined(terms: Sequence[Term]) -> Term:
    return replace(terms[-1], text="".join(term.text for term in terms)[:LONGEST_WORD], nicknames=())


def classes_of(field: str | None) -> tuple[str, ...]:
    """The classes in which a word of the field may stand."""
    return _CLASSES.get(field, (NAME, LOGIN, REST))


def _invalid(detail: str) -> InvalidError:
    return InvalidError("The search cannot be read.", errors=(FieldError(parameter="q", detail=detail),))


def _terms(prefix: str | None, quoted: str | None, text: str | None, *, region: str | None) -> Iterator[Term]:
    """The terms of one part: perhaps a field, then a text in quotes or one without spaces."""
    written = quoted or text or ""
    if not prefix and _UNFINISHED.fullmatch(written):
        return
    field = prefix and prefix.lower()
    digits = _phone_digits(written, region) if field == "phone" else None
    spoken = iter(japanese.spoken(written))
    for word in [digits] if digits else _words(written):
        latin = japanese.romaji(next(spoken, "")) if script(word) == "kana" else ()
        yield Term(word, exact=quoted is not None, is_last=False, field=field, kind=_kind(word), latin=latin)


def _domain(prefix: str | None, quoted: str | None, text: str | None) -> list[Term]:
    """One term if the text can be a domain: `example.com`, `@example.com`, also after `email:`."""
    if not text or (prefix or "email").lower() != "email" or not _DOMAIN.fullmatch(text):
        return []
    return [Term(as_domain(text), exact=quoted is not None, is_last=False, field=None, kind="word")]


def _words(written: str) -> list[str]:
    """The words of a text; those of an e-mail address as it was indexed."""
    local, at, domain = written.rpartition("@")
    words = [*texts(local), *domain_words(domain)] if at and " " not in written else texts(written)
    return [word if script(word) else word[:LONGEST_WORD] for word in words]


def _kind(word: str) -> Kind:
    if script(word):
        return "cjk"
    return "digits" if word.isdecimal() else "word"


def _address(written: str) -> str:
    return typed_email_key(written) if "@" in written else canonical(written)


def _with_zeros(written: str) -> str | None:
    digits = _NOT_DIGIT.sub("", fold(written))
    return digits if digits.startswith("0") and digits != _phone_digits(written) else None


def _phone_digits(written: str, region: str | None = None) -> str | None:
    """The digits of a whole number as stored, with the country's code if that was typed.

    Of a part, without the prefixes 00, 0, or (0) after the country's code.
    """
    plain = fold(written).strip()
    number = phones.find(plain, region)
    if number is not None and number.wrong is None:
        return number.e164[1:] if plain.startswith("+") else number.national
    digits = _NOT_DIGIT.sub("", _TRUNK.sub("", plain))
    bare = digits if plain.startswith("+") else digits.removeprefix("00").removeprefix("0")
    found = bare if len(bare) >= SHORTEST_NUMBER else digits
    return found if len(found) >= SHORTEST_NUMBER else None
