"""One form for each character: which one does not matter, so long as both ways of writing fold alike."""

import pytest

from app.search.characters import SIMPLIFIED
from app.search.words import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("陳大文", "陈大文"),
        ("張偉", "张伟"),
        ("歐陽", "欧阳"),
        ("齋藤", "斎藤"),
        ("渡邊", "渡辺"),
        ("渡邉", "渡辺"),
        ("髙橋", "高橋"),
        ("𠮷田", "吉田"),
        ("黒澤", "黑沢"),
        ("﨑", "嵜"),
        ("علی کریمی زاده", "علي كريمي زاده"),
        ("فاطمة", "فاطمه"),
        ("مصطفى", "مصطفی"),
        ("ٱلرحمن محـــمد", "الرحمن محمد"),
        ("سمیعہ قریشی", "سميعه قريشي"),
    ],
)
def test_two_forms_of_a_name_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize("char", "乾昇芸沈淼佐々木")
def test_what_may_stand_as_it_is_stays(char: str) -> None:
    assert fold(char) == char


def test_what_is_folded_folds_no_further() -> None:
    assert all(form == fold(form) and len(form) == 1 for form in SIMPLIFIED.values())
