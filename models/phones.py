"""Phone numbers, as the `phonenumbers` library reads them and E.164 writes them."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from models.letters import INVISIBLE

PATTERN = r"^\s*([Tt][Ee][Ll]:)?[^\x00A-Za-z]*$"
"""A pattern that all numbers match, for JSON Schema."""
_REMEMBERED = 4_096
"""Parsed numbers that are cached, as each is parsed several times, in some 25 µs."""
_WRITTEN = re.compile(r"(?:[Tt][Ee][Ll]:)?\s*([+\d\s()\[\].\-/~\u2010-\u2015\u2212\u2053\u223c\u30fc]*)")
_EXTENSION = re.compile(r"[0-9].*([x#;,]|ext)[^0-9]*[0-9]+\s*$", re.IGNORECASE)
_DIGITS = re.compile(r"\D+")

_INTERNATIONAL = (
    "must be an international number (E.164): + and the country's code first, such as +8613800138000"
)
_TOO_SHORT = "has too few digits for a number of +{code}: give it whole, with its area code"
_WRONG = {
    ValidationResult.INVALID_COUNTRY_CODE: "must begin with + and the code of a country, such as +86",
    ValidationResult.TOO_SHORT: _TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: _TOO_SHORT,
    ValidationResult.TOO_LONG: "has more digits than a number of +{code}: leave out any extension",
    ValidationResult.INVALID_LENGTH: "does not have the length of a number of +{code}",
}


@dataclass(frozen=True, slots=True)
class Number:
    """A parsed number."""

    e164: str
    wrong: str | None
    """Why it is no valid number, in words; None if it is valid."""
    national: str
    """The digits without the country's code."""


def read(text: str) -> str:
    """The E.164 form of an international number; ValueError says what would be right."""
    number = find(text)
    if number is None or number.wrong is not None:
        raise ValueError(_complaint(text) if number is None else number.wrong)
    return number.e164


def find(text: str, region: str | None = None) -> Number | None:
    """The number in a text, national ones only with a region; None if there is none.

    Unlike in the library, letters are no digits: a word beside a number would become part of it.
    """
    return _find(text, region)


@lru_cache(maxsize=_REMEMBERED)
def _find(text: str, region: str | None) -> Number | None:
    written = _WRITTEN.fullmatch(_plain(text))
    if written is None:
        return None
    try:
        number = phonenumbers.parse(written[1], region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and "+" in written[1]:
            return Number(_digits(text), _WRONG[ValidationResult.INVALID_COUNTRY_CODE], "")
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if e164 != written[1] and (settled := find(e164)) is not None:
        return settled  # of +49 00 30… the library removes one zero each time
    verdict = phonenumbers.is_possible_number_with_reason(number)
    return Number(
        e164,
        _WRONG[verdict].format(code=number.country_code) if verdict != ValidationResult.IS_POSSIBLE else None,
        phonenumbers.national_significant_number(number),
    )


def key(text: str, region: str | None = None) -> str:
    """The form under which a number is stored and looked up; for other text, its digits after a +."""
    number = find(text, region)
    return number.e164 if number is not None else _digits(text)


def internationalise(document: Any, region: str) -> None:
    """Make national numbers in a user, a patch or a batch international, in place.

    Anything else stays as it is, for the model to judge.
    """
    if not isinstance(document, dict):
        return
    if isinstance(document.get("phone"), str):
        document["phone"] = international(document["phone"], region)
    operations = document.get("operations")
    for operation in operations if isinstance(operations, list) else ():
        for part in ("user", "patch") if isinstance(operation, dict) else ():
            internationalise(operation.get(part), region)


def international(text: str, region: str | None) -> str:
    """The E.164 form of a national number of the region; anything else as it is."""
    if region is None or "+" in _plain(text):
        return text
    number = find(text, region)
    return text if number is None else number.e164


def _plain(text: str) -> str:
    if text.isascii():
        return text.strip()
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()


def _digits(text: str) -> str:
    folded = _DIGITS.sub("", _plain(text))
    return "+" + "".join(str(unicodedata.decimal(digit)) for digit in folded)


def _complaint(text: str) -> str:
    if _EXTENSION.search(text):
        return "must not have an extension, for which E.164 has no place: write it as +4930123456"
    if any(char.isalpha() for char in text):
        return "must be written in digits, without words or letters, such as +8613800138000"
    return _INTERNATIONAL
