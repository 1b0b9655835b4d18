"""Queries by e-mail address and phone number, whole and in part."""

import re
import string
from collections.abc import Iterator
from random import Random
from typing import get_args

from benchmarks.search_queries.directory import Directory, Person
from benchmarks.search_queries.kinds import Kind, Query, query
from benchmarks.search_queries.text import Edit, is_east_asian, misspell, words

_CALLING_CODES = ("44", "353", "49", "43", "31", "33", "46", "358", "81", "82", "84", "90", "972", "886")
"""Of places that dial a 0 before national numbers (ITU-T E.164 and its list of dialling procedures)."""
_EDITS: tuple[Edit, ...] = get_args(Edit)
_SIGNS = string.ascii_lowercase + string.digits + "._-@"
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


def misspelt_local_part(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`caste41@example.net`: right are all whose address is one typo away."""
    local, _, domain = person.email.lower().partition("@")
    return _misspelt(f"{misspell(local, dice.choice(_EDITS), dice)}@{domain}", directory)


def misspelt_address(person: Person, directory: Directory, dice: Random) -> Query | None:
    """A typo anywhere in the address."""
    return _misspelt(misspell(person.email.lower(), dice.choice(_EDITS), dice), directory)


def _misspelt(typed: str, directory: Directory) -> Query | None:
    if any(email.startswith(typed) for email in directory.emails):
        return None
    return query(typed, {directory.by_email[near] for near in _edited(typed) if near in directory.by_email})


def _edited(text: str) -> Iterator[str]:
    """All texts one edit away."""
    for place in range(len(text) + 1):
        before, after = text[:place], text[place:]
        yield before + after[1:]
        yield before + after[1:2] + after[:1] + after[2:]
        for sign in _SIGNS:
            yield before + sign + after
            yield before + sign + after[1:]


def inside_local_part(person: Person, directory: Directory, dice: Random) -> Query | None:
    """Five or six letters and digits from the middle: `mith12` of `ann.smith1234@`."""
    local = person.email.lower().split("@")[0]
    length = dice.choice([5, 6])
    parts = [local[at : at + length] for at in range(1, len(local) - length)]
    usable = [part for part in parts if part.isalnum() and not part.isdigit()]
    if not usable:
        return None
    typed = dice.choice(usable)
    return query(typed, directory.has_digits(typed) | directory.anywhere_starting(typed))


def name_and_phone(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`anna 4711`, `4711 anna`: four digits or more from anywhere in the number, or its end."""
    if not person.phone or is_east_asian(person.name):
        return None
    length = dice.choice([4, 5, 6])
    start = dice.choice([len(person.phone) - length, dice.randrange(1, len(person.phone) - length)])
    return _with_word(person, person.phone[start : start + length], directory, dice)


def name_and_email(person: Person, directory: Directory, dice: Random) -> Query | None:
    """`anna smith12`, `smith12 anna`: the beginning of a part of the address that is no word of the name."""
    if is_east_asian(person.name):
        return None
    part = dice.choice(re.split(r"[._-]", person.email.lower().split("@")[0]))
    typed = part[: dice.randrange(4, len(part))] if len(part) > 4 else part
    is_of_name = any(word.startswith(typed) for word in person.words)
    return None if is_of_name else _with_word(person, typed, directory, dice)


def _with_word(person: Person, part: str, directory: Directory, dice: Random) -> Query | None:
    word = dice.choice(person.name.split())
    right = directory.named(*words(word)) & (directory.has_digits(part) | directory.anywhere_starting(part))
    both = [word, part]
    dice.shuffle(both)
    return query(" ".join(both), right) if person.number in right else None


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


def last_four(person: Person, directory: Directory, _: Random) -> Query | None:
    """Right are numbers that end so: leading zeros count."""
    return query(person.phone[-4:], directory.ending_in(person.phone[-4:])) if person.phone else None


def last_four_after_zero(person: Person, directory: Directory, dice: Random) -> Query | None:
    return last_four(person, directory, dice) if person.phone[-4:].startswith("0") else None


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
    Kind("e-mail, misspelt", "typo in a local part", misspelt_local_part),
    Kind("e-mail, misspelt", "typo in an address", misspelt_address),
    Kind("part of an e-mail", "5 or 6 from the middle of a local part", inside_local_part),
    Kind("name and contact", "name and part of a phone number", name_and_phone),
    Kind("name and contact", "name and part of an e-mail address", name_and_email),
    Kind("phone", "odd punctuation", punctuated),
    Kind("phone", "national form", national),
    Kind("phone", "last 6 digits", last_six),
    Kind("phone", "7 digits from the middle", middle_seven),
    Kind("last four", "last 4 digits", last_four),
    Kind("last four", "last 4 digits after a zero", last_four_after_zero),
)
