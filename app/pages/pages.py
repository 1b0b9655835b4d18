"""Renders pages, in the language and with what each is told."""

import base64
import hashlib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from itertools import product
from types import NoneType
from urllib.parse import urlencode

from markupsafe import Markup

from app.core.catalogue import LANGUAGES, TAGS, Language, texts
from app.core.errors import StartError
from app.core.settings import Settings
from app.pages import brand, templates
from app.pages.views import View

VIEWS: tuple[type[View], ...] = tuple(View.__subclasses__())


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a form that was sent, or why there is no page; all texts are keys."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    """Of each wrong field the text; where there are any, `text` is not shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Where and to whom a page is shown."""

    language: Language
    form_token: str = ""
    root: str = ""
    """The path under which a proxy has the service."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Parameters that links to other pages keep."""


class Pages:
    """All pages; StartError says what is wrong with a colour, the logo or a template of the operator's."""

    def __init__(self, settings: Settings) -> None:
        self.brand = brand.read(settings)
        self._environment = templates.load(settings.templates)
        with templates.explained("style.css"):
            style = self._render("style.css", {"brand": self.brand})
        self._style = Markup(style)  # noqa: S704 - the operator's own
        digest = hashlib.sha256(self._style.encode()).digest()
        self.style_source = f"'sha256-{base64.b64encode(digest).decode()}'"
        """The style in a Content-Security-Policy."""
        if settings.templates is not None:  # ours alone are tried by the tests
            for view in VIEWS:
                self._check(view)

    def render(self, view: View, shown: Shown, problem: Problem | None = None) -> str:
        text = partial(_text, shown.language)
        told = {each.name: getattr(view, each.name) for each in fields(view)}
        labels = {name: text(key) for name, key in view.labels.items()}
        query = f"?{urlencode(shown.query)}" if shown.query else ""
        here = {**shown.query, **{name: told[name] for name in view.kept if told[name]}}
        ours = {
            "brand": self.brand,
            "style": self._style,
            "t": text,
            "language": shown.language,
            "tags": TAGS,
            "names": {language: texts(language)["page.language_name"] for language in LANGUAGES},
            "switch": {each: f"?{urlencode({**here, 'ui_locales': each})}" for each in LANGUAGES},
            "root": shown.root,
            "query": query,
            "form_token": shown.form_token,
            "labels": labels,
            "problem": problem and _tell(problem, labels, text),
        }
        return self._render(view.template(), ours | told)

    def _render(self, name: str, values: Mapping[str, object]) -> str:
        return self._environment.get_template(name).render(values)

    def _check(self, view: type[View]) -> None:
        """Render it in each language, with and without a problem, and with each choice of what it is told."""
        wrong = Problem("error.internal_error", fields=dict.fromkeys(view.labels, "field.missing"))
        shown = [Shown(language, form_token=_TOKEN) for language in LANGUAGES]
        for told, where, problem in product(samples(view), shown, (None, wrong)):
            with templates.explained(view.template()):
                page = self.render(told, where, problem)
            if "<form" in page and _TOKEN not in page:
                raise StartError(
                    f"ROSTER_TEMPLATES: {view.template()} has a form without the hidden field form_token: "
                    "call token() of form.html in it."
                )


_TOKEN = "token-of-the-check"  # noqa: S105 - it guards nothing


@dataclass(frozen=True, slots=True)
class _Told:
    """A problem as templates have it."""

    text: str
    fields: Mapping[str, tuple[str, str]]


def _tell(problem: Problem, labels: Mapping[str, str], text: typing.Callable[..., str]) -> _Told:
    wrong = {name: (labels[name], text(key)) for name, key in problem.fields.items()}
    return _Told(text(problem.text, **problem.values), wrong)


def _text(language: Language, key: str, **values: object) -> str:
    return texts(language)[key].format(**values)


def samples(view: type[View]) -> Iterator[View]:
    """One for each choice that the template may have to make."""
    kinds = typing.get_type_hints(view)
    names = [each.name for each in fields(view)]
    for values in product(*(_values(name, kinds[name]) for name in names)):
        yield view(**dict(zip(names, values, strict=True)))


def _values(name: str, kind: object) -> tuple[object, ...]:
    if name in {"title", "text"}:
        return ("sign_out.done_title",)
    if kind is bool:
        return (True, False)
    if kind is str:
        return ("Ana",)
    if typing.get_origin(kind) is typing.Literal:
        return typing.get_args(kind)
    if NoneType in typing.get_args(kind):
        return ("Ana", None)
    return (("scope.me",),)
