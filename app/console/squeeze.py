"""Modules and styles without what no browser reads: comments, and space that parts nothing. Names stay."""

import re
from typing import Final, cast

_TOKEN: Final = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<space>\s+)|(?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
    r"""|(?P<template>`)|(?P<open>\{)|(?P<close>\})|(?P<word>[\w$]+)|(?P<slash>/)|(?P<sign>[^\s\w$'"`{}/]+)""",
    re.DOTALL,
)
_TEMPLATE: Final = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(?P<end>`|\$\{)", re.DOTALL)
_REGEX: Final = re.compile(r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*")
_BEFORE_REGEX: Final = re.compile(r"(?:^|[(,=:\[!&|?{};+>\n]|return)$")
_GOES_ON: Final = re.compile(r"[{(\[,;=&|?:<.]$")
"""What a line ends with that is not the end of a statement."""
_WENT_ON: Final = re.compile(r"[)\]},.?:&|=]")
_SHORTER: Final = {"const": "let"}
"""The same to a browser, once the types are checked."""
_WORD: Final = re.compile(r"[\w$]+")
_CALLED: Final = re.compile(r"[\w$)\]]$")
_LETTER: Final = re.compile(r"[\w$]")
_INDENTATION: Final = re.compile(r"\n\s+")
_NEEDLESS: Final = re.compile(r"^\s*\n\s*(?=<|[`$])|(?<=>)\s*\n\s*(?=<|[`$])|\s+(?=/>)")
"""What htm leaves out of its markup: lines between tags and values, and the space before the end of a tag."""
_NEXT_ATTRIBUTE: Final = re.compile(r"\s*\n\s*(?=\.{3}\$|[\w-]+=)")
_QUOTES: Final = re.compile(r"""(?<==)"([\w-]+)"(?=\s|/?>)""")
_STYLE: Final = re.compile(r"/\*.*?\*/|\s*([{};,>])\s*|(?<=:)\s+", re.DOTALL)


def squeeze_style(source: str) -> str:
    return _STYLE.sub(lambda found: found[1] or "", source).replace(";}", "}").strip()


def squeeze_module(source: str) -> str:
    """Strings and regular expressions stay as they are, templates but for their indentation."""
    out = [""]
    depths: list[int] = []
    """Of the braces in each `${` that is open."""
    tags: list[str] = []
    """What stands before each template that is open: `html`, or nothing of note."""
    at = 0
    while at < len(source):
        found = _match(source, at, out[-1])
        at, kind = found.end(), found.lastgroup
        if kind == "sign" and found[0].startswith("=>"):
            _bare(out)
        if kind != "comment":
            text = _part(out[-1], found[0], source[at : at + 1]) if kind == "space" else found[0]
            out += [_SHORTER.get(text, text)] if text else []
        tags += [out[-2]] if kind == "template" else []
        if depths and kind in {"open", "close"}:
            depths[-1] += 1 if kind == "open" else -1
        is_back = bool(depths) and depths[-1] < 0
        if is_back:
            depths.pop()
        if is_back or kind == "template":
            found = cast("re.Match[str]", _TEMPLATE.match(source, at))
            part = _squeeze_markup(found[0]) if tags[-1] == "html" else found[0]
            out.append(_INDENTATION.sub("\n", part))
            at = found.end()
            if found["end"] == "${":
                depths.append(0)
            else:
                tags.pop()
    return "".join(out)


def _bare(out: list[str]) -> None:
    """Takes the brackets from the only parameter of an arrow function, where no call can be meant."""
    before, opened, name, closed = ([""] * 4 + out[-4:])[-4:]
    is_bare = closed == ")" and _WORD.fullmatch(name) and opened.endswith("(")
    if is_bare and not _CALLED.search(before + opened[:-1]):
        out[-3:] = [opened[:-1] + name]


def _squeeze_markup(part: str) -> str:
    """A part of a template of htm, as far as the next value."""
    return _QUOTES.sub(r"\1", _NEXT_ATTRIBUTE.sub(" ", _NEEDLESS.sub("", part)))


def _match(source: str, at: int, before: str) -> re.Match[str]:
    """The token there: what begins with a slash is told by what was before it."""
    regex = _REGEX.match(source, at) if _BEFORE_REGEX.search(before) else None
    return regex or cast("re.Match[str]", _TOKEN.match(source, at))


def _part(before: str, space: str, after: str) -> str:
    """What a space becomes: nothing, unless it parts two words, two signs or two statements."""
    if "\n" in space:
        needless = before.endswith("\n") or _GOES_ON.search(before) or _WENT_ON.match(after)
        return "" if needless or not before else "\n"
    is_between_words = _LETTER.match(before[-1:]) and _LETTER.match(after)
    return " " if is_between_words or (before[-1:] == after and after in "+-/") else ""
