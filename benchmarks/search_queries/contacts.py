"""Queries by e-mail address and phone number, whole and in part."""

import re
from random import Random

from benchmarks.search_queries.directory import Directory, Person
from benchmarks.search_queries.kinds import Kind, Query, query

_CALLING_CODES = ("44", "353", "49", "43", "31", "33", "46", "358", "81", "82", "84", "90", "972", "886")
"""Of places that dial a 0 before national numbers (ITU-T E.164 and its list of dialling procedures)."""
_WIDE_DIGITS = {ord("0") + digit: ord("０") + digit for digit in range(10)}


def email(person: Person, _: Directory, dice: Random) -> Query | None:
    return query(dice.choice([person.email, person.email.lower(), person.email.upper()]), {person.number})


def local_part(person: Person, _: Directory, dice: Random) -> Query | None:
    """All of it: others may begin so, their number being longer."""
    local = person.email.split("@")[0]
    return query(dice.choice([local, local.lower()]), {person.number})


def dotted_part(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`smith1234` of `ann.smith1234@`."""
    found = re.search(r"[._]([a-z]+\d+)@", person.email.lower())
    if not found:
        return None
    typed = found[1]
    return _only(dice.choice([typed, typed.title()]), directory.anywhere(typed))


def numbered_part(person: Person, directory: Directory, _: Random) -> Query | None:
    """`smith 1234` of `ann.smith1234@`: letters and digits apart."""
    found = re.search(r"([a-z]{3,})(\d{3,})@", person.email.lower())
    if not found:
        return None
    return _only(f"{found[1]} {found[2]}", directory.anywhere(found[1], found[2]))


def _only(typed: str, right: set[int]) -> Query | None:
    return query(typed, right) if len(right) == 1 else None


def punctuated(person: Person, _: Directory, dice: Random) -> Query | None:
    """The whole number, with its country, as people write it."""
    digits = person.phone
    if not digits:
        return None
    code = dice.choice([1, 2, 3])
    middle = dice.randrange(code + 2, len(digits) - 3)
    pieces = digits[:code], digits[code:middle], digits[middle:]
    form = dice.choice(["+{} ({}) {}", "+{}.{}.{}", "+{}-{}-{}", "+{} {} {}", "{}/{}-{}", "＋{}　{}－{}"])
    typed = form.format(*pieces)
    return query(typed.translate(_WIDE_DIGITS) if "＋" in form else typed, {person.number})


def national(person: Person, directory: Directory, dice: Random) -> Query | None:
    """With a 0 for the country."""
    code = next((code for code in _CALLING_CODES if person.phone.startswith(code)), None)
    if code is None:
        return None
    digits = person.phone[len(code) :]
    pieces = digits[:3], digits[3:6], digits[6:]
    form = dice.choice(["0{}{}{}", "0{} {}{}", "(0{}) {}-{}", "0{}/{}{}"])
    right = {which for which, phone in enumerate(directory.phones) if phone.endswith(digits)}
    return _only(form.format(*pieces), right)


def last_six(person: Person, directory: Directory, _: Random) -> Query | None:
    return _digits(person.phone[-6:], directory)


def middle_seven(person: Person, directory: Directory, dice: Random) -> Query | None:
    if len(person.phone) < 10:
        return None
    start = dice.randrange(1, len(person.phone) - 7)
    return _digits(person.phone[start : start + 7], directory)


def _digits(digits: str, directory: Directory) -> Query | None:
    return _only(digits, directory.has_digits(digits)) if digits else None


KINDS = (
    Kind("e-mail", "whole address", email),
    Kind("e-mail", "local part", local_part),
    Kind("e-mail", "dotted part", dotted_part),
    Kind("e-mail", "letters and number of a part", numbered_part),
    Kind("phone", "odd punctuation", punctuated),
    Kind("phone", "national form", national),
    Kind("phone", "last 6 digits", last_six),
    Kind("phone", "7 digits from the middle", middle_seven),
)
