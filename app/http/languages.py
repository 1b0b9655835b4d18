"""The language of problems: the one that a request accepts (RFC 9110, section 12.5.4), else English."""

from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache

from app.core.catalogue import LANGUAGES, TAGS, Language, accepted_language
from app.core.catalogue.problems import translate

Headers = Sequence[tuple[bytes, bytes]]

_NAME = b"accept-language"
VARY = (b"vary", b"Accept-Language")
WISH: ContextVar["Wish | None"] = ContextVar("wish", default=None)
"""Of the request that is answered."""


class Wish:
    """What one request accepts, and what it was told in: read late, as few requests are told anything."""

    __slots__ = ("_headers", "_told", "chosen")

    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self._told: tuple[str, ...] = ()
        self.chosen: Language | None = None
        """Goes before what the request accepts."""

    def find(self) -> Language:
        return self.chosen or find(self._headers)

    def note(self, language: Language) -> None:
        if TAGS[language] not in self._told:
            self._told += (TAGS[language],)

    def describe(self, names: set[bytes]) -> list[tuple[bytes, bytes]]:
        """The headers of a reply that tells something; `names` has those that it brings."""
        if not self._told:
            return []
        spoken = (b"content-language", ", ".join(self._told).encode())
        return [VARY] if spoken[0] in names else [spoken, VARY]


def find(headers: Headers) -> Language:
    wished = [value for name, value in headers if name == _NAME]
    return _read(b",".join(wished)) if wished else LANGUAGES[0]


@lru_cache
def _read(wished: bytes) -> Language:
    """Remembered: reading it anew takes longer than the rest of a refusal."""
    return accepted_language(wished.decode("latin-1")) or LANGUAGES[0]


def choose(language: Language) -> None:
    """Tell problems in this language, whatever the request accepts."""
    if (wish := WISH.get()) is not None:
        wish.chosen = language


def say(*texts: str) -> Sequence[str]:
    """What the code says in English, in the request's language; in English if a part of it has no other."""
    wish = WISH.get()
    if wish is None:
        return texts
    said, language = say_in(wish.find(), *texts)
    wish.note(language)
    return said


def say_one(text: str) -> str:
    """A text by itself, where many are told together."""
    (said,) = say(text)
    return said


def say_in(language: Language, *texts: str) -> tuple[Sequence[str], Language]:
    """The same in a given language, and the one that it is in."""
    said = [translate(text, language) for text in texts] if language != LANGUAGES[0] else []
    known = [text for text in said if text is not None]
    return (known, language) if len(known) == len(texts) else (texts, LANGUAGES[0])
