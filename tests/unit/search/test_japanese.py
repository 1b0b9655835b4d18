"""Readings of Japanese names."""

import pytest

from app.search.japanese import read, romaji


@pytest.mark.parametrize(
    ("kana", "spelled"),
    [
        ("かなこ", ("kanako",)),
        ("サトウ", ("sato", "satou")),
        ("ｶﾞｸ", ("gaku",)),
        ("しゅんいちろう", ("shunichiro", "shunichirou")),
        ("きょうこ", ("kyoko", "kyouko")),
        ("いのうえ", ("inoue",)),
        ("はっとり", ("hattori",)),
        ("ほっちょう", ("hotcho", "hotchou")),
        ("シェリー", ("sheri",)),
        ("ファティマ", ("fatima",)),
        ("っ", ()),
        ("", ()),
    ],
)
def test_kana_are_spelled_as_people_write_their_names(kana: str, spelled: tuple[str, ...]) -> None:
    assert romaji(kana) == spelled


@pytest.mark.parametrize(
    ("name", "surname", "given"),
    [
        ("高橋 かな子", "takahashi", "kanako"),
        ("髙橋　陽菜", "takahashi", "hina"),
        ("𠮷野 大翔", "yoshino", "hiroto"),
        ("佐々木 健一郎", "sasaki", "kenichiro"),
        ("山田太郎", "yamada", "taro"),
        ("井上まこと", "inoue", "makoto"),
        ("サトウ ケンジ", "sato", "kenji"),
        ("長谷川 真理", "hasegawa", "mari"),
    ],
)
def test_surname_and_given_name_have_their_readings(name: str, surname: str, given: str) -> None:
    reading = read(name)
    assert reading is not None
    assert surname in reading.surname
    assert given in reading.given


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("田中 陽菜", ("hina", "haruna")),
        ("田中 和子", ("kazuko", "masako")),
        ("田中 隆", ("takashi", "yutaka")),
    ],
)
def test_a_given_name_may_be_read_in_several_ways(name: str, given: tuple[str, ...]) -> None:
    reading = read(name)
    assert reading is not None
    assert set(given) <= set(reading.given)


def test_a_surname_alone_is_read() -> None:
    reading = read("田中")
    assert reading is not None
    assert (reading.surname, reading.given, reading.whole) == (("tanaka",), (), ())


@pytest.mark.parametrize("name", ["王小明", "张伟", "张 伟", "欧阳 娜娜", "김민수 かな", "Anna", "々"])
def test_other_names_have_none(name: str) -> None:
    assert read(name) is None
