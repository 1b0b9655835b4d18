from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import FieldError, InvalidError
from app.search.query_parser import Kind, Query, Term, dialled, join, parse


def term(
    text: str, *, kind: Kind = "word", field: str | None = None, exact: bool = False, is_last: bool = False
) -> Term:
    return Term(text=text, exact=exact, is_last=is_last, field=field, kind=kind)


@pytest.mark.parametrize(
    ("q", "terms"),
    [
        ("Müller", [term("muller", is_last=True)]),
        ("Anna O’Brien ", [term("anna"), term("obrien", is_last=True)]),
        ("jean-luc", [term("jean"), term("luc", is_last=True)]),
        ('"Anna Maria" k', [term("anna", exact=True), term("maria", exact=True), term("k", is_last=True)]),
        ('k "Anna"', [term("k"), term("anna", exact=True)]),
        ("“Anna” „Maria“", [term("anna", exact=True), term("maria", exact=True)]),
        ('"anna mar', [term("anna"), term("mar", is_last=True)]),
        ('""', []),
        ("city:berlin anna", [term("berlin", field="city"), term("anna", is_last=True)]),
        ("City: Berlin", [term("berlin", field="city", is_last=True)]),
        ('name:"anna maria"', [term(word, field="name", exact=True) for word in ("anna", "maria")]),
        (
            "title:vice-president",
            [term("vice", field="title"), term("president", field="title", is_last=True)],
        ),
        ("tag:team:red", [term("team", field="tag"), term("red", field="tag", is_last=True)]),
        ("team:red", [term("team"), term("red", is_last=True)]),
        ("mycity:berlin", [term("mycity"), term("berlin", is_last=True)]),
        ("anna city:", [term("anna", is_last=True)]),
        ("姓名：张", [term("姓名", kind="cjk"), term("张", kind="cjk", is_last=True)]),
        ("city：北京", [term("北京", kind="cjk", field="city", is_last=True)]),
        ("鈴木アンナ", [term("铃木", kind="cjk"), term("あんな", kind="cjk", is_last=True)]),
        ("司马相如大人", [term("司马相如大人", kind="cjk", is_last=True)]),
        ("schmidt92", [term("schmidt92", is_last=True)]),
        ("anna ９２", [term("anna"), term("92", kind="digits", is_last=True)]),
        ("phone:0171/23-45", [term("1712345", kind="digits", field="phone", is_last=True)]),
        ('phone:"+49 171 2"', [term("491712", kind="digits", field="phone", exact=True)]),
        ("phone:anna", [term("anna", field="phone", is_last=True)]),
        (
            "ana.b@mail.example.com",
            [term("ana"), term("b"), term("example", is_last=True)],  # as addresses are indexed
        ),
        ("@example.com", [term("example", is_last=True)]),
        ('"meet @ noon."', [term("meet", exact=True), term("noon", exact=True)]),
        ("a" * 40, [term("a" * 32, is_last=True)]),
        ("", []),
        ("🎉 … !?", []),
        (".*", []),
        ("$where: {}", [term("where", is_last=True)]),
        ("مريم", [term("مريم", is_last=True)]),
    ],
)
def test_what_is_typed_becomes_terms(q: str, terms: list[Term]) -> None:
    assert [replace(one, latin=()) for one in parse(q).terms] == terms


@pytest.mark.parametrize("q", ["ｻﾄｳ がく", "サトウ ガク", "さとうｶﾞｸ"])
def test_kana_have_the_spellings_of_kanji_that_are_read_so(q: str) -> None:
    spelled = [spelling for term in parse(q).terms for spelling in term.latin]
    assert "".join(spelled).startswith("sato")
    assert "gaku" in "".join(spelled)


@pytest.mark.parametrize(
    ("q", "email"),
    [
        ("Ana@Example.com", "ana@example.com"),
        (" ana@ ", "ana@"),
        ("ana@exam", "ana@exam"),
        ("josé@bücher.de", "josé@xn--bcher-kva.de"),
        ("josé@bücher..", "josé@bücher.."),
        ("@example.com", None),
        ("ana@example.com berlin", None),
        ("a@b@c", None),
        ("Email: ana@example.com", "ana@example.com"),
        ("name:ana@example.com", None),
        ("ana", None),
    ],
)
def test_an_address_alone_is_looked_up_as_one(q: str, email: str | None) -> None:
    assert parse(q).email == email


@pytest.mark.parametrize(
    ("q", "digits"),
    [
        ("+49 171 2345", "491712345"),
        ("0049-171/2345", "491712345"),
        ("(0171) 23.45", "1712345"),
        ("+49 (0)171 2345", "491712345"),
        ("＋４９１７１", "49171"),
        ("171", "171"),
        ("071", "071"),
        ("007", "007"),
        ("00", None),
        ("12", None),
        ("+ -", None),
        ("phone: +49 171", "49171"),
        ("171a", None),
        ("anna 171", None),
    ],
)
def test_a_phone_number_alone_is_looked_up_as_one(q: str, digits: str | None) -> None:
    assert parse(q).digits == digits


@pytest.mark.parametrize(
    ("q", "region", "digits"),
    [
        ("+49 0171 2345678", None, "491712345678"),
        ("+7 8 495 123-45-67", None, "74951234567"),
        ("+39 06 1234 5678", None, "390612345678"),
        ("+7 846 12", None, "784612"),
        ("0171 2345678", "DE", "1712345678"),
        ("8 495 123-45-67", "RU", "4951234567"),
        ("06 1234 5678", "IT", "0612345678"),
        ("phone:8-495-123-45-67", "RU", "4951234567"),
        ("8 4", "RU", None),
    ],
)
def test_a_whole_number_is_looked_up_as_it_is_stored(q: str, region: str | None, digits: str | None) -> None:
    assert parse(q, region=region).digits == digits


@pytest.mark.parametrize(
    ("q", "zeros"),
    [
        ("009498", "009498"),
        ("0171/23", "017123"),
        ("9498", None),
        ("0541", "0541"),
        ("012", None),
        ("+49 (0)171", None),
    ],
)
def test_a_zero_in_front_may_be_of_the_number(q: str, zeros: str | None) -> None:
    assert parse(q).zeros == zeros


@pytest.mark.parametrize(
    ("q", "detail"),
    [
        ("a" * 201, "Must be at most 200 characters long."),
        ("an\x00na", "Must not contain control characters or halves of surrogate pairs."),
        ("anna\x7f", "Must not contain control characters or halves of surrogate pairs."),
        ("anna\ud800", "Must not contain control characters or halves of surrogate pairs."),
    ],
)
def test_what_cannot_be_searched_is_refused_with_its_reason(q: str, detail: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse(q)
    assert refused.value.errors == (FieldError(parameter="q", detail=detail),)


def test_as_much_as_is_allowed_can_be_searched() -> None:
    assert len(parse("a b c d e f g h i\tj").terms) == 10
    assert parse("字" * 200).terms == (term("字" * 200, kind="cjk", is_last=True),)


@given(st.text(st.characters(), max_size=220) | st.text('ab:"@ .+0张あ\U0001f389city', max_size=30))
def test_any_text_is_parsed_or_refused(q: str) -> None:
    try:
        query = parse(q)
    except InvalidError:
        return
    assert isinstance(query, Query)
    assert len(query.terms) <= 10
    assert not any(each.is_last for each in query.terms[:-1])
    for each in query.terms:
        assert each.text


@pytest.mark.parametrize(
    ("q", "domains"),
    [
        ("example.com", ["@example.com"]),
        ("@example.com", ["@example.com"]),
        ("@Exam", ["@exam"]),
        ("email:Bücher.de", ["@bucher.de"]),
        ("anna @example.com", ["anna", "@example.com"]),
        ("anna example.com berlin", ["anna", "@example.com", "berlin"]),
        ("j.doe", ["@j.doe"]),  # what it is the dictionary knows
        ("anna", []),
        ("anna@example.com", []),
        ("@", []),
        ("example.", []),
        ("name:example.com", []),
        ('"example.com"', []),
        ("a@b@c.de", []),
    ],
)
def test_what_looks_like_a_domain_may_be_one(q: str, domains: list[str]) -> None:
    assert [each.text for each in parse(q).domains] == domains


@pytest.mark.parametrize(
    ("q", "username"),
    [
        ("a_ndx1", "a_ndx1"), ("A-NDX1", "a-ndx1"), ("username:a.ndx1", "a.ndx1"), (" anna ", "anna"),
        ("anna b", None), ('"anna"', None), ("anna@example.com", None), ("city:berlin", None), ("", None),
    ],
)  # fmt: skip
def test_one_word_may_be_a_username_with_its_signs(q: str, username: str | None) -> None:
    assert parse(q).username == username


@pytest.mark.parametrize(
    ("q", "address"),
    [
        ("Caste41@Example.net", "caste41@example.net"), ("castle41example.net", "castle41example.net"),
        ("castle41@@example.net", "castle41@@example.net"), ("email:a@b.example", "a@b.example"),
        ("a@b", None), ("anna", None), ("anna a@b.example", None), ("city:berlin.de", None),
    ],
)  # fmt: skip
def test_a_text_with_a_sign_of_addresses_may_be_one_misspelt(q: str, address: str | None) -> None:
    assert parse(q).address == address


@pytest.mark.parametrize(
    ("digits", "ways"),
    [
        ("0123", ("0123", "123")), ("00123", ("00123", "123")), ("123", ("123",)), ("012", ("012",)),
        ("12", ()), ("06607", ("06607", "6607")),
    ],
)  # fmt: skip
def test_digits_are_those_typed_and_those_without_what_is_dialled_first(
    digits: str, ways: tuple[str, ...]
) -> None:
    assert dialled(digits) == ways


def test_parts_of_a_number_are_tried_as_one() -> None:
    [joined] = join(parse("annegret 0660 76 54 321"))
    assert [term.text for term in joined.terms] == ["annegret", "06607654321"]
    assert join(parse("annegret 0660")) == []
    assert join(parse('annegret "0660" 76')) == []
