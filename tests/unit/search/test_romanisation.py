"""Latin spellings of words of other alphabets."""

import pytest

from app.search.romanisation import spellings


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("Юрий Ёлочкинский", [("yuriy",), ("elochkinskiy", "yolochkinskiy")]),
        ("Наталья Щербаковская", [("natalya",), ("shcherbakovskaya",)]),
        ("Єлизавета Ґалаґан", [("yelizaveta",), ("galagan",)]),
        ("Γιώργος Παπαδοπουλίδης", [("giorgos",), ("papadopoulidis",)]),
        ("Ντίνα Ευαγγέλου", [("dina",), ("evangelou",)]),
        ("Νικολαΐδης", [("nikolaidis",)]),
        ("გიორგი მარგველაშვილური", [("giorgi",), ("margvelashviluri",)]),
        ("Արմեն Հարությունյան", [("armen",), ("harutyunyan",)]),
        ("محمد الفيصلي", [("mahamad",), ("alfisali", "fisali")]),
        ("علی کریمی", [("ali",), ("karimi",)]),
        ("יוסף דוד", [("yosaf", "yavasaf"), ("dod", "davad")]),
        ("बिन्दु शर्मा", [("bindu",), ("sharma",)]),
        ("सिंह", [("singh",)]),
        ("ใจดี", [("chaidi",)]),
    ],
)
def test_a_word_has_its_usual_spelling(name: str, spelled: list[tuple[str, ...]]) -> None:
    assert spellings(name) == spelled


@pytest.mark.parametrize("name", ["Jörg Müller", "高橋 かな子", "남궁민준호", "张伟", "٣٤", "ـ"])
def test_other_words_have_none(name: str) -> None:
    assert spellings(name) == []
