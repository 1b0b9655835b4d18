"""Finds what the code tells callers, in English: the keys of the catalogues' section `problems`."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app.core.catalogue.problems import PLACE
from app.core.errors import OAuthError
from tools import error_codes

ROOT = Path(__file__).parent.parent
_SOURCES = ("app", "models", "routers")
_FOR_OPERATORS = (
    "app/__main__.py", "app/commands", "app/core/settings.py", "app/database", "app/health_check.py",
    "app/mail", "app/main.py", "app/migrations", "app/monitoring", "app/pages", "app/search/upkeep.py",
    "models/fields.py",
)  # fmt: skip
"""What they raise stops a process, or is in its log."""
_FOR_ALL = "app/commands/http_protocol.py"
_DOCUMENTATION = ("app/http/openapi.py", "app/http/problems.py")
"""Their sentences are examples and descriptions of the OpenAPI document."""
_DESCRIBING = frozenset({
    "Body", "Counter", "Declared", "Field", "Form", "Header", "Path", "Query", "_text", "form_text",
})  # fmt: skip
_DESCRIPTIONS = frozenset(
    {"MAKER", "SCOPES", "_TOKENS", "_UNASKED", "description", "examples", "meaning", "summary"}
)
_TO_NOBODY = frozenset({"OperationFailure", "RuntimeError", "StartError", "compile", "log", "replace"})
_TO_CLIENTS = frozenset(error.__name__ for error in error_codes.classes(OAuthError))
"""Told as `error_description`, which RFC 6749 has in ASCII (section 5.2)."""
_NOT_TOLD = _DESCRIBING | _TO_NOBODY | _TO_CLIENTS
_OF_STARTS = frozenset({"The bucket refuses what Roster needs ({}): check {}."})
"""What a StartError is made with, some lines above it."""
_SENTENCE = re.compile(
    r"(?=.*[a-z]{2})(?:[A-Z{`0-9].*(?: .*[.?!]|[.:,] .*\})|[Mm]ust .+|[a-z`{][^\\\n]*: [^\\\n]+)"
)


def shape(text: str) -> str:
    """What a text has besides its places."""
    return PLACE.sub("{}", text)


@cache
def find_all() -> frozenset[str]:
    """The shapes of all texts in the code."""
    return frozenset(text for path in _paths() for text, _ in _walk(_parse(path), is_told=True))


def find_told() -> set[str]:
    """The shapes of the sentences that callers are told: titles, and what errors are made with."""
    titles = {error.title for error in error_codes.classes() if not issubclass(error, OAuthError)}
    found = (pair for path in _paths() if _tells(path) for pair in _walk(_parse(path), is_told=True))
    sentences = {text for text, is_told in found if is_told and _SENTENCE.fullmatch(text)}
    return titles | sentences - _OF_STARTS


def _paths() -> Iterator[Path]:
    for folder in _SOURCES:
        yield from sorted((ROOT / folder).rglob("*.py"))


def _tells(path: Path) -> bool:
    name = str(path.relative_to(ROOT))
    return name == _FOR_ALL or not name.startswith((*_FOR_OPERATORS, *_DOCUMENTATION))


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _walk(node: ast.AST, *, is_told: bool) -> Iterator[tuple[str, bool]]:
    """The shape of each text below the node that is no docstring, and whether it may be told."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Constant(value=str(text)):
            yield shape(text), is_told
        case ast.JoinedStr(values=parts):
            yield "".join(map(_shape_part, parts)), is_told
            node = ast.Tuple([part for part in parts if isinstance(part, ast.FormattedValue)])
        case ast.Call(func=called):
            is_told = is_told and _NOT_TOLD.isdisjoint(_names(called))
        case (
            ast.keyword(arg=str(name))
            | ast.Assign(targets=[ast.Name(id=name)])
            | ast.AnnAssign(target=ast.Name(id=name))
        ) if name in _DESCRIPTIONS:
            return
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            node = ast.Tuple([value for key, value in pairs if not _is_description(key)])
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, is_told=is_told)


def _shape_part(part: ast.expr) -> str:
    return shape(str(part.value)) if isinstance(part, ast.Constant) else "{}"


def _names(node: ast.expr) -> set[str]:
    return {each.id if isinstance(each, ast.Name) else each.attr for each in ast.walk(node)
            if isinstance(each, ast.Name | ast.Attribute)}  # fmt: skip


def _is_description(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value in _DESCRIPTIONS
