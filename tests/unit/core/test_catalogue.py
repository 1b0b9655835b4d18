import pytest

from app.core.catalogue import LANGUAGES, Language, accepted_language, find_language, texts


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
        ("", None),
        (None, None),
    ],
)
def test_a_browser_gets_the_language_that_it_prefers(header: str | None, language: Language | None) -> None:
    assert accepted_language(header) == language


def test_each_language_has_its_own_name() -> None:
    assert [texts(language)["page.language_name"] for language in LANGUAGES] == ["English", "中文"]
