import unicodedata
from contextlib import suppress
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.auth.passwords import check_policy
from app.core.errors import InvalidError
from app.core.normalise import canonical

ANA = ("Ana Schmidt", "ana.schmidt@example.com", "schmidt99", "+4930123456", None)

TOO_SHORT = "Must have at least 8 characters."
TOO_LONG = "Must have at most 128 characters."
UNTYPABLE = "Must contain only characters that can be typed: no control characters and no line breaks."
MONOTONOUS = "Must not be one character repeated, nor a plain sequence such as 12345678."
COMMON = "Must not be one of the passwords that most people choose."
PERSONAL = "Must not be made mainly of the user's name, e-mail address, username or phone number."
PRODUCT = "Must not be this product's name, with or without digits."

LONG = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, " * 2


def complain(password: str, about: tuple[str | None, ...] = ()) -> str:
    with pytest.raises(InvalidError) as caught:
        check_policy(password, pointer="/password", about=about)
    assert caught.value.detail == "The password is not good enough."
    (error,) = caught.value.errors
    assert error.pointer == "/password"
    return error.detail


@pytest.mark.parametrize(
    "password",
    [
        "zq8vhk3m",
        "correct horse battery staple",
        "   leading and trailing   ",
        "!#%&/()=?",
        "天地玄黃宇宙洪荒",
        "コーヒーとケーキ",
        "пингвины летают",
        "🦊🐢🦉🐝🦀🐙🦔🐋",
        "👨\u200d👩\u200d👧 dinner",
        "cafe\u0301 noir ne\u0301ro",
        "нет\u00a0пробела\u3000тут",
        "abcdefgx",
        "1234567809",
        "roster wxyz rabbit",
        "rostrum99",
        LONG[:128],
        "🦊🐢" * 64,
    ],
)
def test_a_password_that_nobody_would_guess_will_do(password: str) -> None:
    check_policy(password, pointer="/password", about=ANA)


@pytest.mark.parametrize(
    ("password", "complaint"),
    [
        ("", TOO_SHORT),
        ("zq8vhk3", TOO_SHORT),
        ("天地玄黃宇宙洪", TOO_SHORT),
        ("cafe\u0301caf", TOO_SHORT),
        (LONG[:129], TOO_LONG),
        ("zq8vhk3m" * 100_000, TOO_LONG),
        ("e\u0301ß" * 65, TOO_LONG),
        ("zq8vhk3m\0", UNTYPABLE),
        ("zq8vhk3m\n", UNTYPABLE),
        ("zq8v\x7fhk3m", UNTYPABLE),
        ("zq8v\x85hk3m", UNTYPABLE),
        ("zq8v\u2028hk3m", UNTYPABLE),
        ("zq8v\ud800hk3m", UNTYPABLE),
        ("aaaaaaaa", MONOTONOUS),
        ("AaAaAaAaAa", MONOTONOUS),
        ("🦊" * 20, MONOTONOUS),
        (" " * 12, MONOTONOUS),
        ("a" + " " * 12, MONOTONOUS),
        ("12345678", MONOTONOUS),
        ("５６７８９０１２", MONOTONOUS),
        ("3210987654", MONOTONOUS),
        ("AbcDefGhijk", MONOTONOUS),
        ("zyxwvuts", MONOTONOUS),
        ("абвгдежз", MONOTONOUS),
        ("password", COMMON),
        ("PassWord1", COMMON),
        ("ｐａｓｓｗｏｒｄ１", COMMON),
        ("  qwertyui ", COMMON),
        ("1q2w3e4r5t", COMMON),
        ("roster99", PRODUCT),
        ("Roster", TOO_SHORT),
        ("Roster2026!", PRODUCT),
        ("2026-roster-12345678", PRODUCT),
        ("RosterRoster", PRODUCT),
    ],
)
def test_a_bad_password_is_refused_with_the_reason(password: str, complaint: str) -> None:
    assert complain(password, ANA) == complaint


@pytest.mark.parametrize(
    "password",
    [
        "ana.schmidt@example.com",
        "ANA.SCHMIDT@EXAMPLE.COM",
        "ana.schmidt",
        "Ana Schmidt",
        "AnaSchmidt1!",
        "schmidt.ana",
        "schmidt99",
        "Schmidt123",
        "xSchmidtxx",
        "schmidtschmidt99",
        "+4930123456",
        "4930123456!",
        "ａｎａｓｃｈｍｉｄｔ",
    ],
)
def test_what_others_know_of_the_user_is_no_password(password: str) -> None:
    assert complain(password, ANA) == PERSONAL


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Zoë Müller", "ZoëMüller"),
        ("Zoë Müller", "muller99"),
        ("Zoe\u0308 Mu\u0308ller", "müller-99"),
        ("王小明", "王小明王小明小明"),
        ("王小明", "WangXiaoMing88"),
        ("김민준", "김민준김민준김민"),
        ("Straße", "STRASSE!"),
        ("a.b(c)[d]*", "a.b(c)[d]*"),
    ],
)
def test_a_name_is_found_in_its_other_spellings(name: str, password: str) -> None:
    assert complain(password, (name,)) == PERSONAL


@pytest.mark.parametrize(
    ("about", "password"),
    [
        (("Ana Schmidt",), "schmidt-qz7w"),
        (("Li Wu",), "wu-wu-li-li"),
        (("horse",), "correct horse battery staple"),
        (("王",), "王王王国国国人人"),
        ((None, ""), "zq8vhk3m"),
        (("@@@@ ....",), "@@@@...@@@@"),
    ],
)
def test_a_password_may_hold_a_part_of_the_name_among_enough_else(
    about: tuple[str | None, ...], password: str
) -> None:
    check_policy(password, pointer="/password", about=about)


@given(st.text(st.characters(categories=["L", "Mn", "Nd", "So", "Zs"]), min_size=4, max_size=140))
def test_the_policy_is_the_same_however_the_password_is_composed(password: str) -> None:
    def judge(text: str) -> str | None:
        try:
            check_policy(text, pointer="/password", about=ANA)
        except InvalidError as error:
            return error.errors[0].detail
        return None

    assert judge(unicodedata.normalize("NFD", password)) == judge(unicodedata.normalize("NFC", password))


@given(st.text(max_size=200), st.lists(st.none() | st.text(max_size=40), max_size=4))
def test_nothing_makes_the_policy_fail_other_than_by_its_own_error(
    password: str, about: list[str | None]
) -> None:
    with suppress(InvalidError):
        check_policy(password, pointer="/password", about=about)


def test_the_shipped_list_can_be_met_by_every_line() -> None:
    lines = resources.files("app.auth.passwords").joinpath("common.txt").read_text("utf-8").splitlines()
    assert len(lines) == 8346
    assert lines == sorted({canonical(line) for line in lines})
    assert min(map(len, lines)) == 8
