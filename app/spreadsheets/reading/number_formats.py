"""Number formats (ECMA-376, 18.8.30): the text that one shows for a number or a text.

Only for formats that look alike in every language: no thousands separators, percents, exponents, or
fractions.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from app.spreadsheets.reading.values import Formatted

BUILT_IN: Final = {
    1: "0", 2: "0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 46: "[h]:mm:ss",
    48: "##0.0E+0", 59: "0", 60: "0.00", 67: "0%", 68: "0.00%", 69: "# ?/?", 70: "# ??/??",
    **dict.fromkeys((3, 37, 38, 41, 61), "#,##0"),
    **dict.fromkeys((4, 39, 40, 43, 62), "#,##0.00"),
    **dict.fromkeys((5, 6, 7, 8, 42, 44), "%"),
}  # fmt: skip
"""By number; money counts as a percent, as it depends on the language. 0 and 49 show all."""

_LONGEST: Final = 255
"""The longest format of a spreadsheet, in characters."""
_EXACT: Final = 10**15
_MOST_DECIMALS: Final = 12
_GROUPED: Final = 1_000
"""From here on a thousands separator is shown."""
_PADDING: Final = {"0": "0", "#": "", "?": ""}
_BARE: Final = frozenset(" $-+()/:!^&'~{}<>=")
"""Literal characters without quotes; `/` between digits is a fraction."""
_token = re.compile(
    r'"(?P<text>[^"]*)"|\\(?P<escaped>.)|[_*](?P<space>.)|\[\$(?P<currency>[^\]-]*)[^\]]*\]|'
    r"\[(?P<bracket>[^\]]*)\]|(?P<general>General)|(?P<digit>[0#?])|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)
_condition = re.compile(r"(<=|>=|<>|<|>|=)(-?[0-9]+(?:\.[0-9]+)?)").fullmatch
_color = re.compile(r"black|blue|cyan|green|magenta|red|white|yellow|color ?[0-9]+", re.IGNORECASE).fullmatch
_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": lambda number, bound: number < bound,
    "<=": lambda number, bound: number <= bound,
    ">": lambda number, bound: number > bound,
    ">=": lambda number, bound: number >= bound,
    "=": lambda number, bound: number == bound,
    "<>": lambda number, bound: number != bound,
}


@dataclass(slots=True)
class _Section:
    tokens: list[tuple[str, str]] = field(default_factory=list)
    """Kind and text: `text`, `digit`, or a character that is its own kind."""
    holds: Callable[[float], bool] | None = None
    is_clear: bool = True
    """Whether what is shown depends on no language."""

    def has(self, kind: str) -> bool:
        return any(kind == each for each, _ in self.tokens)


class NumberFormat:
    def __init__(self, code: str) -> None:
        sections = _parse(code if len(code) <= _LONGEST else "[too long]")
        self._text = sections[3] if len(sections) > 3 else sections[-1] if sections[-1].has("@") else None  # noqa: PLR2004 - the fourth is of texts
        self._numbers = [each for each in sections[:3] if not each.has("@")]

    def show_number(self, number: float) -> float | str:
        """The number as shown: itself where nothing else is shown."""
        if not self._numbers:
            return number
        section = self._choose(number)
        shown = _fill(section, number) if section is not None and section.is_clear else None
        if shown is None:
            return Formatted(str(number))
        return number if shown == str(number) else shown

    def show_text(self, text: str) -> str:
        section = self._text
        if section is None:
            return text
        if not section.is_clear or not section.has("@"):
            return Formatted(text)
        return "".join(text if kind == "@" else each for kind, each in section.tokens)

    def _choose(self, number: float) -> _Section | None:
        sections = self._numbers
        if any(section.holds for section in sections):
            return next((each for each in sections if each.holds is None or each.holds(number)), None)
        if number < 0:
            return None  # no text of a user is a converted minus
        return sections[2] if number == 0 and len(sections) > 2 else sections[0]  # noqa: PLR2004 - the third is of zero


def _parse(code: str) -> list[_Section]:
    sections = [_Section()]
    for found in _token.finditer(code):
        kind = found.lastgroup or ""
        text = found[kind]
        section = sections[-1]
        if text == ";" and kind == "other":
            sections.append(_Section())
        elif kind in ("text", "escaped", "currency") or (kind == "other" and text in _BARE):
            section.tokens.append(("text", text))
        elif kind == "bracket" and (condition := _condition(text)):
            section.holds = _bind(condition[1], float(condition[2]))
        elif kind in ("digit", "general"):
            section.tokens.append((kind, text))
        elif text in (".", ",", "@"):
            section.tokens.append((text, text))
        elif kind != "space" and not (kind == "bracket" and _color(text)):
            section.is_clear = False
    return sections


def _bind(operator: str, bound: float) -> Callable[[float], bool]:
    return lambda number: _HOLDS[operator](number, bound)


def _fill(section: _Section, number: float) -> str | None:
    """The section with the digits of a non-negative number; None if that is not certain."""
    tokens = section.tokens
    places = [place for place, (kind, _) in enumerate(tokens) if kind == "digit"]
    if section.has("general"):
        filled = [str(number) if kind == "general" else text for kind, text in tokens]
        return None if places else "".join(filled)
    if not places or number >= _EXACT or ("text", "/") in tokens[places[0] : places[-1]]:
        return None
    if section.has(","):
        if number >= _GROUPED or (",", ",") in tokens[places[-1] :]:  # a comma at the end divides
            return None
        tokens = [token for token in tokens if token != (",", ",")]
    point = tokens.index((".", ".")) if section.has(".") else len(tokens)
    whole, fraction = tokens[:point], tokens[point + 1 :]
    decimals = sum(kind == "digit" for kind, _ in fraction)
    if decimals > _MOST_DECIMALS:
        return None
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    before, _, after = f"{rounded:f}".partition(".")
    shown = _fill_fraction(fraction, after)
    return _fill_whole(whole, before.lstrip("0")) + (f".{shown}" if shown[:1].isdigit() else shown)


def _fill_whole(tokens: list[tuple[str, str]], digits: str) -> str:
    shown = ""
    left = sum(kind == "digit" for kind, _ in tokens)
    for kind, text in tokens:
        if kind != "digit":
            shown += text
            continue
        here = max(len(digits) - left + 1, 0)  # the first place takes all remaining digits
        shown += digits[:here] or _PADDING[text]
        digits = digits[here:]
        left -= 1
    return shown


def _fill_fraction(tokens: list[tuple[str, str]], digits: str) -> str:
    shown = ""
    for kind, text in tokens:
        if kind != "digit":
            shown += text
            continue
        shown += digits[0] if digits.strip("0") or text == "0" else _PADDING[text]
        digits = digits[1:]
    return shown
