"""What the code says in English, in another language: the English text is the key, as for gettext.

A key may have places, as `At most {limit} bytes.` has, and finds each text of that form. Its translation
names the same places: `{limit}` stands as it came, `{reason:text}` is a text of the catalogue itself, and
`{names:and}` and `{names:or}` are lists with the marks of the language.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from app.core.catalogue import LANGUAGES, Language, problem_texts, texts

PLACE = re.compile(r"\{([a-z_]*)(?::(text|and|or))?\}")
_LISTS = {"and": "marks.and", "or": "marks.or"}
_CUT = "…"
"""Ends a text that was too long."""
_LONGEST = 1000
"""Characters of a text that is looked for: no problem tells as many."""
_DEEPEST = 4
"""Texts within texts, each of which is looked for in four ways: what callers sent may look like many."""
_NO_STOP = r"(?<!\.)"
"""Ends a form that ends with a value: the stop after it is that of the sentence."""
_REMEMBERED = 1024


@lru_cache(_REMEMBERED)
def translate(text: str, language: Language, *, depth: int = 1) -> str | None:
    """The text in another language than English; None if the catalogue does not have it."""
    if len(text) > _LONGEST or depth > _DEEPEST:
        return None
    if (found := _find(text, language, depth)) is not None:
        return found
    if text.endswith("."):  # of a part that became a sentence
        found = _find(text.removesuffix("."), language, depth)
        return found and found + texts(language)["marks.stop"]
    return _find(f"{text}.", language, depth) if text.endswith(_CUT) else None


def _find(text: str, language: Language, depth: int) -> str | None:
    whole = _whole(language).get(text)
    if whole is not None or not text:
        return whole
    matches = ((form, form.match(text)) for form in _forms(language))
    filled = (form.fill(values, language, depth) for form, values in matches if values is not None)
    return next((text for text in filled if text is not None), None)


@cache
def _whole(language: Language) -> Mapping[str, str]:
    """With what pages say of fields, which problems say, too."""
    other = texts(language)
    fields = {text: other[key] for key, text in texts(LANGUAGES[0]).items() if key.startswith("field.")}
    return {**fields, **problem_texts(language)}


@cache
def _forms(language: Language) -> Sequence["_Form"]:
    """Those with most letters of their own first: the others may find the same text, and less of it."""
    forms = [_Form(*pair) for pair in problem_texts(language).items() if PLACE.search(pair[0])]
    return sorted(forms, key=lambda form: -len(PLACE.sub("", form.english)))


@dataclass(frozen=True)
class _Form:
    """A text with places, in English and in another language."""

    english: str
    other: str

    @cached_property
    def _start(self) -> str:
        return self.english.partition("{")[0]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        fixed, names = PLACE.split(self.english)[::3], PLACE.findall(self.english)
        found = [
            f"{re.escape(each)}(?P<at_{name}>.*?)" for each, (name, _) in zip(fixed, names, strict=False)
        ]
        end = re.escape(fixed[-1]) or ("" if self.other.endswith(":text}") else _NO_STOP)
        return re.compile("".join([*found, end]), re.DOTALL)

    def match(self, text: str) -> Mapping[str, str] | None:
        """The values of a text of this form, by the names of their places."""
        found = self._pattern.fullmatch(text) if text.startswith(self._start) else None
        return found and {name.removeprefix("at_"): value for name, value in found.groupdict().items()}

    def fill(self, values: Mapping[str, str], language: Language, depth: int) -> str | None:
        """None if a value should be a text of the catalogue, or a list, and is none."""
        parts = [_say(values[name], kind, language, depth) for name, kind in PLACE.findall(self.other)]
        fixed = PLACE.split(self.other)[::3]
        if None in parts:
            return None
        return fixed[0] + "".join(f"{part}{after}" for part, after in zip(parts, fixed[1:], strict=True))


def _say(value: str, kind: str, language: Language, depth: int) -> str | None:
    if kind == "text":  # within a sentence one begins with a small letter
        spellings = (value, value[:1].upper() + value[1:])
        found = (translate(each, language, depth=depth + 1) for each in spellings)
        return value and next(filter(None, found), None)
    return _join(value, kind, texts(language)) if kind else value


def _join(value: str, word: str, marks: Mapping[str, str]) -> str | None:
    """A list of names, with the marks of a language between them; None for what is none."""
    *others, last = items = re.split(rf", {word} | {word} |, ", value)
    if any(" " in item for item in items):
        return None
    return marks[_LISTS[word]].format(others=marks["marks.comma"].join(others), last=last) if others else last
