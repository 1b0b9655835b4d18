"""The one rule for text: which blanks are removed at the ends, and which characters are refused."""

import re
import unicodedata

from models.letters import INVISIBLE

_JOINERS = "\u200c\u200d"
_UNSEEN = r"\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
"""Invisible format characters (Cf): marks and overrides of direction, the soft hyphen; not joiners."""
_BLANK = rf"\s\u200c\u200d{_UNSEEN}"
_SPACING = r"\t\n\r\x85\u2028\u2029"
"""Tabs and line breaks."""
CONTROLS = r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
"""Control characters that are no blanks, for a class of a regular expression."""
PATTERN = f"^[^{CONTROLS}]*$"
"""The pattern of every text in the schema; the model examines texts more closely."""
_NEVER = rf"{CONTROLS}\x0b\x0c\x1c-\x1f{_UNSEEN}\ufdd0-\ufdef\ufff0-\ufffb\ufffe\uffff"

_BLANKS = "".join(re.findall(f"[{_BLANK}]", "".join(map(chr, range(0xFFFF)))))
_NONCHARACTERS = "".join(chr(last - 1) + chr(last) for last in range(0x1FFFF, 0x110000, 0x10000))
_ODD = re.compile(
    rf"[{_SPACING}{_NEVER}{_JOINERS}\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    rf"\U000e0000-\U000e00ff\U000e01f0-\U000e0fff{_NONCHARACTERS}]"
)
_BREAK = re.compile("\r\n|[\r\x85\u2028\u2029]")
_VIRAMA = 9
"""The combining class of viramas, which remove an Indic consonant's vowel; a joiner after one chooses the
form."""
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f")
"""A black flag with tags that make it a region's, such as Scotland's."""


def trim(text: str) -> str:
    """The text without blanks at the ends; a joiner at the end that shapes an Indic letter stays."""
    if text.isascii():
        return text.strip()
    left = text.lstrip(_BLANKS)
    trimmed = left.rstrip(_BLANKS)
    following = left[len(trimmed) : len(trimmed) + 1]
    is_letter = trimmed and unicodedata.combining(trimmed[-1]) == _VIRAMA and following in _JOINERS
    return trimmed + following if is_letter else trimmed


def line(text: str) -> str:
    """The trimmed text; ValueError names a character that is not allowed in a line."""
    return text.strip(" ") if text.isprintable() else _checked(trim(text), "")


def paragraphs(text: str) -> str:
    """The same for text with tabs and line breaks, each break as LF."""
    return text.strip(" ") if text.isprintable() else _checked(_BREAK.sub("\n", trim(text)), "\n\t")


def visible(text: str) -> str:
    """The text without characters that `line` refuses, for text that nobody could correct."""
    text = _FLAG.sub("", trim(text))
    return _ODD.sub(lambda found: found[0] if _joins(text, found.start()) else "", text)


def is_blank(text: str) -> bool:
    """Whether nothing in the text is visible."""
    return not (text if text.isascii() else INVISIBLE.sub("", text)).strip()


def _checked(text: str, allowed: str) -> str:
    without_tags = _FLAG.sub(lambda flag: "-" * len(flag[0]), text)
    for found in _ODD.finditer(without_tags):
        if found[0] not in allowed and not _joins(without_tags, found.start()):
            raise ValueError(_complaint(found[0]))
    return text


def _joins(text: str, place: int) -> bool:
    """Whether a joiner has an effect: between letters, marks, digits or emoji."""
    if text[place] not in _JOINERS or place == 0:
        return False
    before, after = text[place - 1], text[place + 1 : place + 2]
    is_between = _is_written(before) and after != "" and _is_written(after)
    return is_between or unicodedata.combining(before) == _VIRAMA


def _is_written(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMNS"


def _complaint(char: str) -> str:
    if re.fullmatch(f"[{_SPACING}]", char):
        return "must be one line, without tabs and line breaks"
    kind = "a control character" if unicodedata.category(char) == "Cc" else "which nobody sees"
    return f"must not contain U+{ord(char):04X}, {kind}: remove it"
