import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.words import LONGEST_WORD, Word, cut, fold, runs, script, spelled_out, split, texts

ANYTHING = st.text(st.characters(), max_size=40)
MIXED = st.text(
    st.sampled_from(
        "abZ 19'’-.éÉßøŁıİﬁⅧ½㏠㍿張伟々〇田カガｶﾞーあ홍ᄒ\u1161हिन्दीสวัสดีمحمדוד\u0301\u0308\u200b\u20e3🎉\ud800"
    ),
    max_size=20,
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Jörg MÜLLER", "jorg muller"),
        ("Jo\u0308rg", "jorg"),
        ("Straße", "strasse"),
        ("Łukasz Đặng Øystein", "lukasz dang oystein"),
        ("Æther Þór", "aether thor"),
        ("İstanbul Iğdır", "istanbul igdir"),
        ("Ｗａｎｇ", "wang"),
        ("ﬁx Ⅷ", "fix viii"),
        ("Σίσυφος", "σισυφοσ"),
        ("Ёлкин Й", "елкин и"),
        ("カタカナ ｶﾞ ガ", "かたかな か か"),
        ("أحمد", "احمد"),
        ("हिन्दी", "हिन्दी"),
        ("สวัสดี", "สวัสดี"),
        (unicodedata.normalize("NFD", "홍길동"), "홍길동"),
        ("٣٤ १२", "34 12"),
        ("a\u200bb\u00adc", "abc"),
    ],
)
def test_folding_takes_away_what_people_do_not_type(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(ANYTHING)
def test_what_is_folded_is_folded(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_folds_as_the_long_way(text: str) -> None:
    assert fold(text) == fold(text + "\u200b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna-Marie  Schmidt", ["anna", "marie", "schmidt"]),
        ("O'Brien O’Brien OʼBrien O´Brien O`Brien", ["obrien"] * 5),
        ("d'Angelo, N'Diaye", ["dangelo", "ndiaye"]),
        ("van der Meer", ["van", "der", "meer"]),
        ("first_last.99+x@example.com", ["first", "last", "99", "x", "example", "com"]),
        ("schmidt92", ["schmidt92"]),
        ("Research & Development", ["research", "development"]),
        ("王小明Wang", ["王小明", "wang"]),
        ("鈴木アンナ", ["铃木", "あんな"]),
        ("佐々木 一〇", ["佐々木", "一〇"]),
        ("レオナルド・ダ・ヴィンチ", ["れおなると", "た", "うぃんち"]),
        ("홍길동Kim", ["홍길동", "kim"]),
        ("अमित मिश्रा", ["अमित", "मिश्रा"]),
        ("מאיר כהן", ["מאיר", "כהן"]),
        ("½", ["1", "2"]),
        ("㍿", ["株式会社"]),
        ("🎉 👍🏽 …!?", []),
        ("1️⃣", ["1"]),
        ("\ud800", []),
        ("", []),
    ],
)
def test_words_of_every_script(text: str, expected: list[str]) -> None:
    assert texts(text) == expected
    assert [word.text for word in split(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë O’Brien", [Word("zoe", 0, 3), Word("obrien", 4, 11)]),
        ("Zoe\u0308 x", [Word("zoe", 0, 4), Word("x", 5, 6)]),
        ("(Straße)", [Word("strasse", 1, 7)]),
        ("Ⅷ ﬁx", [Word("viii", 0, 1), Word("fix", 2, 4)]),
        ("½", [Word("1", 0, 1), Word("2", 0, 1)]),
        ("𠮷田太郎 a", [Word("吉田太郎", 0, 4), Word("a", 5, 6)]),
        ("田中タロウ", [Word("田中", 0, 2), Word("たろう", 2, 5)]),
        ("ｶﾞ!", [Word("か", 0, 2)]),
        (unicodedata.normalize("NFD", "홍길"), [Word("홍길", 0, 6)]),
        ("मी ", [Word("मी", 0, 2)]),
        ("'anna' b", [Word("anna", 1, 5), Word("b", 7, 8)]),
    ],
)
def test_each_word_knows_its_place(text: str, expected: list[Word]) -> None:
    assert split(text) == expected


@given(ANYTHING | MIXED)
def test_the_fast_way_finds_the_same_words(text: str) -> None:
    assert [word.text for word in split(text)] == texts(text)


@given(ANYTHING | MIXED)
def test_a_place_holds_the_word_and_nothing_else(text: str) -> None:
    """But that a character that stands for two words is the place of both."""
    for word in split(text):
        there = texts(text[word.start : word.end])
        assert word.text in there
        assert len(there) == 1 or any(len(texts(char)) > 1 for char in text[word.start : word.end])


@given(ANYTHING | MIXED)
def test_case_composition_and_cutting_twice_make_no_difference(text: str) -> None:
    assert texts(" ".join(texts(text))) == texts(text)
    assert texts(unicodedata.normalize("NFD", text)) == texts(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Jörg Müller", ["joerg", "mueller"]),
        ("JO\u0308RG Weber", ["joerg", "weber"]),
        ("Åse Sørensen", ["aase", "soerensen"]),
        ("José", []),
        ("Jorg", []),
    ],
)
def test_umlauts_are_spelled_out_as_their_owners_do_without_them(text: str, spelled: list[str]) -> None:
    assert spelled_out(text) == spelled


@given(ANYTHING | MIXED)
def test_spelled_out_words_stand_one_for_one(text: str) -> None:
    assert len(spelled_out(text)) in {0, len(texts(text))}


def test_runs_are_joined_over_spaces_but_not_over_scripts() -> None:
    assert runs(texts("田中 拓也 アンナ x 伟")) == ["田中拓也", "あんな", "伟"]
    assert runs(["anna", "аня", "अमित"]) == []


def test_scripts_that_run_words_together() -> None:
    assert [script(word) for word in ("張", "々", "ゟ", "한", "ᄒ", "anna", "я", "ก", "ა")] == [
        "han", "han", "kana", "hangul", "", "", "", "", "",
    ]  # fmt: skip


def test_a_long_word_is_cut() -> None:
    assert cut(["a" * 99, "b"]) == ["a" * LONGEST_WORD, "b"]
