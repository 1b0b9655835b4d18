"""Checks the catalogues of texts: each key is there in every language, and is used, and none is missing."""

import ast
import re
import string
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from app.core.catalogue import LANGUAGES, PROBLEMS, Language, problem_texts, texts
from app.core.catalogue.problems import PLACE
from app.mail.contents import PARTS
from models.mail import MailKind, Purpose
from models.values import IdentityScope, Scope
from tools import error_codes, sayings

ROOT = Path(__file__).parent.parent
_SOURCES = ("app", "routers")
_OF_LINKS = ("title", "text", "button", "done_title", "done")
"""What a page says of what a link of a mail is for."""
_IN_TEMPLATE = re.compile(r"""["']([a-z_]+\.[a-z_]+)["']""")
_CONSOLE = "console."
_MODULES = ROOT / "app" / "console" / "static"
_IN_MODULE = re.compile(r"""['"]([a-z_]+\.[a-z_]+)['"]""")
_ASKED_FOR = re.compile(r"""\bt\(\s*['"]([^'"]*)['"]""")
_MADE = re.compile(r"`([a-z_]+)\.\$\{")
"""In modules of the console, which leave out `console.`: any text like a key of its sections, what `t` is
called with, and the section of keys that are made of values, all of whose texts count as used."""


def find_wrong() -> Iterator[str]:
    """A sentence for each thing that is wrong."""
    first, *others = LANGUAGES
    keys = texts(first)
    for language in others:
        yield from _compare(language, texts(language), first, keys)
        yield from _check_problems(language)
    used = _find_used({key.partition(".")[0] for key in keys} - {"console"}) | _find_in_console(keys)
    for key in sorted(used - keys.keys()):
        yield f"{key} is used, and {first}.toml has no such text: write it in every language."
    for key in sorted(keys.keys() - used - _find_named()):
        yield f"{key} is not used: remove it from every catalogue."


def _compare(language: str, found: Mapping[str, str], first: str, keys: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(keys.keys() - found.keys()):
        yield f"{language}.toml lacks {key}, which {first}.toml has."
    for key in sorted(found.keys() - keys.keys()):
        yield f"{language}.toml has {key}, which {first}.toml lacks."
    for key in sorted(keys.keys() & found.keys()):
        if _places(keys[key]) != _places(found[key]):
            yield f"{key} is filled in otherwise in {language}.toml than in {first}.toml."


def _check_problems(language: Language) -> Iterator[str]:
    """Of what the code tells callers, in a language that it is not written in."""
    known = problem_texts(language)
    shapes = {sayings.shape(text) for text in known}
    for text in sorted(sayings.find_told() - shapes):
        yield f"{language}.toml has no {text!r} under [{PROBLEMS}]: write it, with names in the places."
    for text, translated in known.items():
        if sayings.shape(text) not in sayings.find_all():
            yield f"{text!r} under [{PROBLEMS}] of {language}.toml is not in the code: remove it."
        if _names(text) != _names(translated):
            yield f"{text!r} under [{PROBLEMS}] of {language}.toml is filled in with other values."


def _names(text: str) -> set[str]:
    return {name for name, _ in PLACE.findall(text)}


def _places(text: str) -> set[str]:
    """The values that it is filled in with; of one it may show other parts in each language."""
    return {name.partition(".")[0] for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _find_used(sections: set[str]) -> set[str]:
    """The keys that stand in templates and, as whole strings, in the code."""
    templates = (path for room in ("pages", "mail") for path in (ROOT / "app" / room / "templates").iterdir())
    found = {key for path in templates for key in _IN_TEMPLATE.findall(path.read_text())}
    for folder in _SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(_find_strings(path))
    return {key for key in found if key.partition(".")[0] in sections}


def _find_in_console(keys: Mapping[str, str]) -> set[str]:
    """The keys that the console's modules use, with `console.` before them."""
    sources = [path.read_text() for path in _MODULES.rglob("*.js") if path.parent.name != "vendor"]
    known = {key.split(".")[1] for key in keys if key.startswith(_CONSOLE)}
    likely = {
        key for source in sources for key in _IN_MODULE.findall(source) if key.partition(".")[0] in known
    }
    asked = {_CONSOLE + key for source in sources for key in _ASKED_FOR.findall(source)}
    sections = tuple(f"{_CONSOLE}{name}." for source in sources for name in _MADE.findall(source))
    made = {key for key in keys if key.startswith(sections)}
    return asked | made | {_CONSOLE + key for key in likely} | _find_in_server(keys)


def _find_in_server(keys: Mapping[str, str]) -> set[str]:
    """Those of the page that the console's modules are in."""
    sources = "".join(path.read_text() for path in _MODULES.parent.glob("*.py"))
    return {key for key in keys if key.startswith(_CONSOLE) and f'"{key}"' in sources}


def _find_strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"^[a-z_]+\.[a-z_]+$(?<!\.js)(?<!\.css)", node.value)


def _find_named() -> set[str]:
    """The keys that are named after what they are about: scopes, codes of errors, mails and their links."""
    scopes = {f"scope.{scope}" for scope in (*get_args(Scope), *get_args(IdentityScope))}
    mails = {f"mail_{kind}.{part}" for kind in get_args(MailKind) for part in PARTS}
    links = {f"link_{purpose}.{text}" for purpose in get_args(Purpose) for text in _OF_LINKS}
    return scopes | mails | links | {f"error.{error.code}" for error in error_codes.classes()}


def main() -> None:
    if wrong := list(find_wrong()):
        sys.exit("\n".join(wrong))
    print(f"The catalogues {', '.join(LANGUAGES)} have the same texts, and each is used.")


if __name__ == "__main__":
    main()
