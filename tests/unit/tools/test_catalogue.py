from collections.abc import Callable, Mapping

import pytest

from app.core import catalogue
from tools.catalogue import find_wrong

Change = Callable[[str, dict[str, str]], None]


def test_each_text_stands_in_every_language_and_is_used() -> None:
    assert list(find_wrong()) == []


def lose(language: str, texts: dict[str, str]) -> None:
    if language == "zh":
        del texts["sign_in.button"]


def lose_everywhere(_: str, texts: dict[str, str]) -> None:
    del texts["sign_in.button"]


def add(language: str, texts: dict[str, str]) -> None:
    if language == "zh":
        texts["sign_in.more"] = "更多"


def add_everywhere(_: str, texts: dict[str, str]) -> None:
    texts["sign_in.more"] = "more"


def fill_in(language: str, texts: dict[str, str]) -> None:
    if language == "zh":
        texts["sign_in.to"] = "{klient}"


def lose_in_console(_: str, texts: dict[str, str]) -> None:
    del texts["console.people.title"]


def add_to_console(_: str, texts: dict[str, str]) -> None:
    texts["console.people.more"] = "more"


def fill_in_console(language: str, texts: dict[str, str]) -> None:
    if language == "en":
        texts["console.people.selected"] = "{number:one|many} selected"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lose, "zh.toml lacks sign_in.button, which en.toml has."),
        (
            lose_everywhere,
            "sign_in.button is used, and en.toml has no such text: write it in every language.",
        ),
        (add, "zh.toml has sign_in.more, which en.toml lacks."),
        (add_everywhere, "sign_in.more is not used: remove it from every catalogue."),
        (fill_in, "sign_in.to is filled in otherwise in zh.toml than in en.toml."),
        (
            lose_in_console,
            "console.people.title is used, and en.toml has no such text: write it in every language.",
        ),
        (add_to_console, "console.people.more is not used: remove it from every catalogue."),
        (fill_in_console, "console.people.selected is filled in otherwise in zh.toml than in en.toml."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, change: Change, sentence: str
) -> None:
    whole = {language: dict(catalogue.texts(language)) for language in catalogue.LANGUAGES}
    for language, texts in whole.items():
        change(language, texts)

    def changed(language: catalogue.Language) -> Mapping[str, str]:
        return whole[language]

    monkeypatch.setattr("tools.catalogue.texts", changed)
    assert list(find_wrong()) == [sentence]


@pytest.mark.parametrize(
    ("lost", "added", "sentence"),
    [
        (
            "The body is incomplete.",
            {},
            "zh.toml has no 'The body is incomplete.' under [problems]: write it, with names in the places.",
        ),
        (
            "",
            {"Nobody says so.": "没有人这样说。"},
            "'Nobody says so.' under [problems] of zh.toml is not in the code: remove it.",
        ),
        (
            "This path accepts {methods}.",
            {"This path accepts {methods}.": "此路径接受 {methodes}。"},
            "'This path accepts {methods}.' under [problems] of zh.toml is filled in with other values.",
        ),
    ],
)
def test_what_is_wrong_with_problems_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, lost: str, added: dict[str, str], sentence: str
) -> None:
    known = {text: other for text, other in catalogue.problem_texts("zh").items() if text != lost} | added
    monkeypatch.setattr("tools.catalogue.problem_texts", lambda _: known)
    assert list(find_wrong()) == [sentence]
