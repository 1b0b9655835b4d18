"""Guards texts that a spreadsheet would run as formulas, reversibly.

OWASP ASVS V1.2.10. For every string, `unguard(guard(x)) == x`.
"""

import re
from typing import Final

_STARTERS: Final = "=+-@＝＋－＠﹦﹢﹣﹫"
"""What starts a formula, its full-width and small forms included: Excel folds them in East Asian locales."""

_BREAKS: Final = "\t\r\n\0"
"""Always guarded as the first character: importers drop them and look at the next one."""

_IGNORED: Final = (
    "".join(map(chr, range(0x21)))
    + "\x7f\x85\xa0\xad\u1680\u180e\u2028\u2029\u202f\u205f\u3000\ufeff"
    + "".join(map(chr, (*range(0x2000, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))))
)
"""White space, controls and invisible marks that a spreadsheet may trim before it looks for a formula."""

_DANGER: Final = f"(?:[{_BREAKS}]|[{re.escape(_IGNORED)}]*[{re.escape(_STARTERS)}])"
_guardable = re.compile(f"'*{_DANGER}").match
_guarded = re.compile(f"'+{_DANGER}").match

FIRST: Final = frozenset("'" + _STARTERS + _IGNORED)
"""First characters without which `guard` changes nothing: a cheap test before the call."""


def guard(text: str) -> str:
    """The text with a `'` in front if a spreadsheet would run it, or if it looks guarded."""
    return f"'{text}" if _guardable(text) else text


def unguard(text: str) -> str:
    """The text before `guard`."""
    return text[1:] if _guarded(text) else text
