"""The texts for people: a catalogue for each language, and the choice among them."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The first is the one for those who ask for none of them."""
TAGS: Mapping[Language, str] = {"en": "en", "zh": "zh-Hans"}
"""The language tag (BCP 47) of each, for HTML."""

PROBLEMS = "problems"
"""The section of what the code says in English (`app.core.catalogue.problems`)."""
_LONGEST = 1024
"""Characters that are read of a wish; no browser sends as many."""
_RANGE = re.compile(r"([a-z]{1,8})(?:-[a-z0-9-]*)?(?:\s*;\s*q=([01](?:\.[0-9]{0,3})?))?", re.IGNORECASE)


@cache
def texts(language: Language) -> Mapping[str, str]:
    """Each text by its key, `section.name`; what stands in braces is filled in by `str.format`."""
    sections = {name: section for name, section in _read(language).items() if name != PROBLEMS}
    return dict(_flatten(sections, ""))


def console_texts(language: Language) -> Mapping[str, Mapping[str, str]]:
    """Those of the console, by section and name; its own code fills them in."""
    found: Mapping[str, Mapping[str, str]] = _read(language)["console"]
    return found


def _flatten(section: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, value in section.items():
        if isinstance(value, str):
            yield f"{above}{name}", value
        else:
            yield from _flatten(value, f"{above}{name}.")


def problem_texts(language: Language) -> Mapping[str, str]:
    """What the code says, by its English text; nothing for English."""
    found: Mapping[str, str] = _read(language).get(PROBLEMS, {})
    return found


@cache
def _read(language: Language) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(f"{language}.toml").read_text("utf-8"))


def find_language(locales: str | None) -> Language | None:
    """The first of ours in `ui_locales`: tags with a space between (OpenID Connect Core, section 3.1.2.1)."""
    return next(filter(None, map(_of_tag, (locales or "")[:_LONGEST].split(" "))), None)


def accepted_language(header: str | None) -> Language | None:
    """The best of ours in Accept-Language (RFC 9110, section 12.5.4); what cannot be read is passed over."""
    ranges = [_RANGE.fullmatch(part.strip()) for part in (header or "")[:_LONGEST].split(",")]
    wished = [(float(found[2] or 1), _of_tag(found[1])) for found in ranges if found is not None]
    best = max((wish for wish in wished if wish[0] and wish[1]), key=lambda wish: wish[0], default=None)
    return best and best[1]


def _of_tag(tag: str) -> Language | None:
    """By the primary subtag alone: who asks for zh-TW reads our Chinese rather than English."""
    primary = tag.partition("-")[0].lower()
    return next((language for language in LANGUAGES if language == primary), None)
