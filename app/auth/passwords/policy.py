"""The policy: long, not common, not the user's own data (NIST SP 800-63B, ASVS 6.2)."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise

from app.auth.passwords.text import prepare
from app.core.catalogue import texts
from app.core.errors import FieldError, InvalidError
from app.core.normalise import canonical, name_key

SHORTEST, LONGEST = 8, 128
"""Characters, once prepared. No rule asks for digits or signs: such rules make passwords worse."""

PRODUCT = "roster"

_MOST_READ = 1024
"""Characters that are read: composing (NFC) joins at most four into one, so that more are too long."""

_LEAST_OTHER = 4
_SHORTEST_NAME = {True: 4, False: 2}
"""The fewest characters of a part of a name that counts, by whether it is ASCII: 王伟 is a whole name."""

_SEPARATORS = re.compile(r"[\s._@+-]+")
_UNTYPABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIGITS_IN_A_ROW = "1234567890" * (LONGEST // 10 + 1)


def check(password: str, *, pointer: str, about: Sequence[str | None]) -> None:
    """Raise `InvalidError`, which says at `pointer` what would be right, unless the policy accepts it.

    `about`: the user's name, e-mail address, username and phone number.
    """
    if key := next(_complain(prepare(password[:_MOST_READ]), about), None):
        bad = FieldError(texts("en")[key], pointer=pointer, key=key)
        raise InvalidError("The password is not good enough.", errors=(bad,))


def _complain(password: str, about: Sequence[str | None]) -> Iterator[str]:
    """The problems of the password, as keys of the catalogue, which has the numbers, too."""
    if len(password) < SHORTEST:
        yield "field.too_short"
    if len(password) > LONGEST:
        yield "field.too_long"
    if any(unicodedata.category(char) in _UNTYPABLE for char in password):
        yield "field.untypable"
    if _is_monotonous(password):
        yield "field.monotonous"
    if canonical(password) in _load_common():
        yield "field.common"
    if _is_mostly(password, _find_names(about)):
        yield "field.about_you"
    if _is_mostly(re.sub(r"\d", "", canonical(password)), {PRODUCT}):
        yield "field.product"


def _is_monotonous(password: str) -> bool:
    text = canonical(password)
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps <= {0} or steps in ({1}, {-1}) or text in _DIGITS_IN_A_ROW or text[::-1] in _DIGITS_IN_A_ROW


@cache
def _load_common() -> frozenset[str]:
    """The list of common passwords, one a line in canonical form; `common.LICENSE` has origin and licence."""
    text = resources.files(__package__).joinpath("common.txt").read_text("utf-8")
    return frozenset(text.splitlines())


def _find_names(about: Sequence[str | None]) -> set[str]:
    """Each text as a whole, the address before its @, and their words; Chinese also as pinyin."""
    texts = [part for value in about if value for part in (value, value.partition("@")[0])]
    spellings = {spell(text) for text in texts for spell in (canonical, name_key)}
    words = {word for spelling in spellings for word in (spelling, *_SEPARATORS.split(spelling))}
    names = {_SEPARATORS.sub("", word) for word in words}
    return {name for name in names if len(name) >= _SHORTEST_NAME[name.isascii()]}


def _is_mostly(password: str, names: set[str]) -> bool:
    """Whether fewer than four characters of `password` are left without the names."""
    squeezed = _SEPARATORS.sub("", canonical(password))
    if not names:
        return False
    longest_first = sorted(names, key=len, reverse=True)
    left = re.sub("|".join(map(re.escape, longest_first)), "", squeezed)
    return left != squeezed and len(left) < _LEAST_OTHER
