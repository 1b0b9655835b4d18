import re

import pytest

from app.core.catalogue import (
    LANGUAGES,
    Language,
    accepted_language,
    find_language,
    problem_texts,
    texts,
)


@pytest.mark.parametrize(
    ("locales", "language"),
    [
        ("zh", "zh"),
        ("zh-TW", "zh"),
        ("ZH-hans-CN en", "zh"),
        ("fr-CA en-GB zh", "en"),
        ("tlh", None),
        ("", None),
        (None, None),
        ("zhongwen", None),
        ("x " * 600 + "zh", None),
    ],
)
def test_the_first_wish_that_can_be_met_counts(locales: str | None, language: Language | None) -> None:
    assert find_language(locales) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, en;q=0.5, zh;q=0.7", "zh"),
        ("de,en-US;q=0.7", "en"),
        ("zh;q=0, en;q=0.1", "en"),
        ("zh;q=0", None),
        ("*", None),
        ("zh;q=loud, en;q=0.2", "en"),
        ("zh;q=2, zh-Hant-TW;q=0.3", "zh"),
        (", ,;q=1,\u4e2d\u6587,\x00", None),
        ("z" * 70_000, None),
        ("", None),
        (None, None),
    ],
)
def test_a_browser_gets_the_language_that_it_prefers(header: str | None, language: Language | None) -> None:
    assert accepted_language(header) == language


def test_each_language_has_its_own_name() -> None:
    assert [texts(language)["page.language_name"] for language in LANGUAGES] == ["English", "中文"]


def test_chinese_has_the_punctuation_of_chinese() -> None:
    """But for what is code: between backquotes, or a word of a search with its field."""
    said = [
        re.sub(r"`[^`]*`|[a-z]+:\S+", "", text)
        for text in (*texts("zh").values(), *problem_texts("zh").values())
    ]
    han = "[\u4e00-\u9fff]"
    assert [text for text in said if re.search(rf"{han}[,.;:!?()]|[,;:!?()]{han}", text)] == []
