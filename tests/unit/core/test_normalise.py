import string
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.core.normalise import NAME_KEY_LENGTH, canonical, email_key, facet, name_key
from models.values import Email, Name, Username

EMAIL: TypeAdapter[str] = TypeAdapter(Email)
USERNAME: TypeAdapter[str] = TypeAdapter(Username)
NAME: TypeAdapter[str] = TypeAdapter(Name)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LETTERS = st.characters(categories=["Lu", "Ll", "Lt", "Lo", "Nd", "Mn"])
LABEL = st.text(LETTERS, min_size=1, max_size=8)
INVISIBLE = [
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u180e", "\u115f", "\u1160",
    "\u3164", "\uffa0", "\ufe0f", "\U000e0100", "\u202a", "\u202e", "\u2066", "\u2069", "\u200e", "\u061c",
]  # fmt: skip


def refused(adapter: TypeAdapter[str], text: str) -> bool:
    try:
        adapter.validate_python(text)
    except ValidationError:
        return True
    return False


@given(TEXT)
def test_a_canonical_text_is_its_own_canonical_form(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@given(TEXT)
def test_case_and_composition_make_no_difference_to_the_canonical_form(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert canonical(unicodedata.normalize("NFD", text)) == canonical(composed)
    assert canonical(composed.upper().lower()) == canonical(canonical(composed).upper().lower())


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("Ana@Example.com", "ana@example.com"),
        ("  ana@example.com\t", "ana@example.com"),
        ("ａｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ana@example.com"),
        ("ana@example。com", "ana@example.com"),
        ("Ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@bu\u0308cher.example", "ana@xn--bcher-kva.example"),
        ("ana@XN--BCHER-KVA.example", "ana@xn--bcher-kva.example"),
        ("zoe\u0308@example.com", "zoë@example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "strasse@example.com"),
    ],
)
def test_every_spelling_of_an_address_has_one_key(spelling: str, key: str) -> None:
    assert email_key(spelling) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@faß.de", "a@fass.de"),  # two domains, to be had by two people
        ("a@σς.gr", "a@σσ.gr"),
        ("ana@example.com", "аna@example.com"),  # Cyrillic а
        ("ana@example.com", "ana@exаmple.com"),
        ("ana@example.com", "ana@example.org"),
        ("an.a@example.com", "ana@example.com"),
        ("ana+x@example.com", "ana@example.com"),
    ],
)
def test_different_addresses_have_different_keys(one: str, other: str) -> None:
    assert email_key(one) != email_key(other)


@pytest.mark.parametrize("domain", ["faß.de", "σς.gr", "bücher.example", "例え.jp", "россия.рф"])
def test_a_domain_and_its_punycode_are_one(domain: str) -> None:
    punycode = email_key(f"a@{domain}").partition("@")[2]
    assert punycode.isascii()
    assert email_key(f"a@{punycode}") == email_key(f"a@{domain}")


@given(LABEL, LABEL)
def test_each_address_that_is_accepted_has_a_stable_key_with_an_ascii_domain(local: str, label: str) -> None:
    address = f"{local}@{label}.com"
    if refused(EMAIL, address):
        return
    key = email_key(address)
    assert key.rpartition("@")[2].isascii()
    assert email_key(key) == key


@pytest.mark.parametrize("char", INVISIBLE)
@pytest.mark.parametrize("text", ["a{}na@example.com", "ana{}@example.com", "ana@exa{}mple.com"])
def test_an_address_with_a_character_that_nobody_sees_is_refused(text: str, char: str) -> None:
    assert refused(EMAIL, text.format(char))


@pytest.mark.parametrize("char", [*INVISIBLE, "\0", "\n", "\x7f", " ", "\u00a0", "@", "+", "/", "‐", "😀"])
def test_a_username_with_a_character_that_nobody_sees_or_means_is_refused(char: str) -> None:
    assert refused(USERNAME, f"bo{char}b")


@pytest.mark.parametrize("char", INVISIBLE)
def test_a_name_of_nothing_but_invisible_characters_is_blank(char: str) -> None:
    assert refused(NAME, f" {char}{char} ")


@pytest.mark.parametrize("username", ["аdmin", "adмin", "ρaul", "pаypal.support", "ﬀοο"])
def test_a_username_that_mixes_scripts_which_look_alike_is_refused(username: str) -> None:
    assert refused(USERNAME, username)


@pytest.mark.parametrize(
    "username",
    [
        "ana",
        "Ana_1",
        "_ana",
        "ana.b-c.",
        "王伟",
        "wang王伟",
        "やまだ",
        "Аня",
        "Ωμέγα",
        "zoë",
        "हिन्दी",
        "สวัสดี",
        "김민준",
        "7",
    ],
)
def test_usernames_of_every_script_are_accepted_as_typed(username: str) -> None:
    assert USERNAME.validate_python(f" {username} ") == username


@pytest.mark.parametrize("username", ["", " ", ".ana", "-ana", "\u0301ana", "a" * 65, "ﷺ" * 4])
def test_malformed_usernames_are_refused(username: str) -> None:
    assert refused(USERNAME, username)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Zoë Ångström", "zoe angstrom"),
        ("ÉLODIE", "elodie"),
        ("e\u0301lodie", "elodie"),
        ("Łukasz Đorđević", "lukasz dordevic"),
        ("Øst Æther Þór", "ost aether thor"),
        ("Nguyễn", "nguyen"),
        ("Groß", "gross"),
        ("İlkay", "ilkay"),
        ("Işık", "isik"),
        ("Jean-Luc  O’Neill", "jean-luc o’neill"),
        ("张伟", "zhang wei"),
        ("单田芳", "shan tian fang"),
        ("曾国藩", "zeng guo fan"),
        ("张单", "zhang dan"),  # the reading as a surname belongs to the first character
        ("王小明 Wang", "wang xiao ming wang"),
        ("やまだ", "やまた"),  # the voicing mark orders after all letters, as an accent does
        ("ガ", "カ"),
        ("Аня", "аня"),
        ("हिन्दी", "हिन्दी"),  # vowel signs are no accents
        ("สวัสดี", "สวัสดี"),
        ("o\u200bk", "ok"),
        ("\u202eabc\u202c", "abc"),
        ("  a \u00a0 b\n", "a b"),
    ],
)
def test_names_sort_by_their_plain_letters(name: str, key: str) -> None:
    assert name_key(name) == unicodedata.normalize("NFC", key)


def test_look_alikes_of_another_script_sort_apart() -> None:
    assert name_key("Аня") != name_key("Aня")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400))
def test_a_sort_key_is_bounded_trimmed_and_encodable(name: str) -> None:
    key = name_key(name)
    assert len(key) <= NAME_KEY_LENGTH
    assert key == key.lstrip()
    key.encode()


@given(st.text(string.printable, max_size=NAME_KEY_LENGTH))
def test_the_short_way_for_ascii_names_gives_what_the_long_way_gives(name: str) -> None:
    assert name_key(name) == name_key("\u200b" + name)


def test_facets_ignore_case_width_and_spaces() -> None:
    assert facet("city", " ＢＥＲＬＩＮ ") == facet("city", "berlin") == "city:berlin"
    assert facet("is_active", value=True) == "is_active:true"
    assert facet("is_active", value=False) == "is_active:false"


def test_no_accent_lies_beyond_those_that_are_looked_at() -> None:
    assert not any(map(unicodedata.combining, map(chr, range(0x20000, sys.maxunicode + 1))))
