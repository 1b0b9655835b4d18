"""Which ranges a query goes along; what MongoDB makes of them is the integration tier's."""

import pytest
from bson import MinKey, ObjectId

from app.core.cursors import Position
from app.search import index_reads, parse
from app.search.index_reads import SCAN, IndexRead
from app.search.matching import ONE_TYPO, TWO_TYPOS, Pattern

ID = ObjectId("0" * 24)


def patterns(q: str) -> list[Pattern]:
    return [pattern for term in parse(q).terms for pattern in index_reads.patterns(term)]


def words(q: str) -> list[set[str]]:
    return [set(pattern.exact) for pattern in patterns(q)]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("anna", [{"nanna", "eanna", "ranna"}]),
        ("Anna MÜLLER", [{"nanna", "eanna", "ranna"}, {"nmuller", "emuller", "rmuller"}]),
        ("name:anna", [{"nanna"}]),
        ("email:anna", [{"nanna", "eanna"}]),
        ("city:berlin", [{"nberlin", "eberlin", "rberlin"}]),
        ("伟", [{"n伟", "e伟", "r伟"}]),
        ("张伟", [{"n张伟", "e张伟", "r张伟"}]),
        ("name:张伟", [{"n张伟"}]),
        ("name:欧阳娜", [{"n欧阳娜"}, {"n欧阳娜"}]),
        (
            "name:欧阳娜娜丽",
            [{"n欧阳娜娜"}, {"n欧阳娜娜", "n阳娜娜丽"}, {"n欧阳娜娜", "n阳娜娜丽"}, {"n阳娜娜丽"}],
        ),
        ("tag:北京市", [{"n北京市", "e北京", "r北京"}, {"n北京市", "e京市", "r京市"}]),
    ],
)
def test_a_term_asks_for_postings(q: str, expected: list[set[str]]) -> None:
    assert words(q) == expected


def test_a_rare_word_is_the_only_driver() -> None:
    asked = patterns("anna zylinsky")
    assert index_reads.choose_exact(asked, {"anna": 90_000, "zylinsky": 3}, []) == [
        IndexRead(tuple(asked[1].exact))
    ]
    assert index_reads.streams(asked, {"anna": 90_000, "zylinsky": 3}, []) == [
        "nzylinsky",
        "ezylinsky",
        "rzylinsky",
    ]


def test_two_common_words_go_along_their_pair_first() -> None:
    asked = patterns("wei zhang")
    counts = {"wei": 80_000, "zhang": 90_000}
    first, last = index_reads.choose_exact(asked, counts, [])
    assert set(first.tokens) == {"&wei zhang", "+wei zhang", "+zhang wei"}
    assert last == IndexRead(tuple(asked[0].exact))
    assert index_reads.streams(asked, counts, []) == [
        "&wei zhang", "+wei zhang", "+zhang wei", "nwei", "ewei", "rwei",
    ]  # fmt: skip


def test_a_common_word_with_a_facet_goes_along_the_facet_too() -> None:
    asked = patterns("zhang")
    filters: list[index_reads.Filter] = [{"facets": {"$eq": "city:new york"}}, {"profile.age": {"$gte": 3}}]
    chosen = index_reads.choose_exact(asked, {"zhang": 90_000}, filters)
    assert set(chosen[0].tokens) == {"+zhang new", "+zhang york"}
    assert [one.facets for one in chosen if one.facets] == [filters[0]]
    assert next(one for one in chosen if one.facets).hint == "facets"
    assert chosen[0].hint == "search_words"


def test_what_is_near_is_read_without_who_holds_the_word_itself() -> None:
    [asked] = patterns("zhang")
    widened = index_reads.widen(
        asked, {"zheng": (ONE_TYPO, 5), "zhong": (TWO_TYPOS, 5)}, count=90_000, begun=0
    )
    assert widened.near["nzheng"] == ONE_TYPO
    assert widened.near["rzhong"] == TWO_TYPOS
    by_class = index_reads.choose_near([widened], [])
    assert [one.tokens for one in by_class] == [(f"{letter}zheng", f"{letter}zhong") for letter in "ner"]
    assert [one.prefixes for one in by_class] == [("nzhang",), ("ezhang",), ("rzhang",)]
    begun = by_class[0].pipeline([widened], [], limit=5)[0]["$match"]["$or"][1]
    assert list(begun["search.t"]["$elemMatch"].values()) == ["nzhang", "nzhang\U0010ffff"]
    assert "$gt" in begun["search.t"]["$elemMatch"]


def test_strict_words_have_nobody_near() -> None:
    for q in ('"zhang"', "张"):
        widened = [index_reads.widen(pattern, {}, count=5, begun=9) for pattern in patterns(q)]
        assert index_reads.choose_near(widened, [{"facets": "tag:x"}]) == []


def test_of_several_words_the_rarest_leads_with_all_that_it_may_stand_for() -> None:
    anna, abel = patterns("anna abel")
    widened = [
        index_reads.widen(anna, {"anne": (ONE_TYPO, 40)}, count=40_000, begun=0),
        index_reads.widen(abel, {"abeln": (ONE_TYPO, 2)}, count=5_000, begun=0),
    ]
    paired, alone = index_reads.choose_near(widened, [])
    assert set(alone.tokens) == {letter + word for letter in "ner" for word in ("abel", "abeln")}
    assert "&abel anna" in paired.tokens
    assert "&abeln anne" in paired.tokens
    assert len(paired.tokens) <= 200


def test_a_common_beginning_with_a_facet_goes_along_the_facet_too() -> None:
    filters: list[index_reads.Filter] = [{"facets": {"$eq": "tag:x"}}]
    [asked] = patterns("an")
    common = index_reads.widen(asked, {}, count=0, begun=SCAN)
    assert index_reads.choose_near([common], filters)[0] == IndexRead(facets=filters[0])
    rare = index_reads.widen(asked, {}, count=0, begun=5)
    assert not [one for one in index_reads.choose_near([rare], filters) if one.facets]


def test_a_crowd_of_a_city_is_walked_along_the_city_first() -> None:
    filters: list[index_reads.Filter] = [{"profile.age": 3}, {"facets": {"$in": ["city:new york", "tag:x"]}}]
    alone = ["nzhang", "ezhang", "rzhang"]
    assert index_reads.streams(patterns("zhang"), {}, filters) == ["+zhang new", "+zhang york", *alone]
    assert index_reads.streams(patterns("tag:zhang"), {}, filters) == alone


def test_every_driver_is_cut_before_anything_else_is_asked() -> None:
    for one in (
        IndexRead(("na",), ("nb",)),
        IndexRead((), ("nb",)),
        IndexRead(facets={"facets": {"$eq": "tag:x"}}),
    ):
        first, cut, *_ = one.pipeline(patterns("anna"), [{"facets": "x"}], limit=7)
        assert "$match" in first
        assert cut == {"$limit": SCAN}


def test_a_stream_goes_between_two_places_of_one_posting() -> None:
    start, end = Position(0, "abel", ID), Position(0, "berta", ID)
    asked = patterns("anna")
    scan = index_reads.scan("nanna", asked, [], start, end, limit=7)
    assert scan["min"] == {"search.t": "nanna", "keys.name": "abel", "_id": ID}
    assert scan["max"] == {"search.t": "nanna", "keys.name": "berta", "_id": ID}
    assert (scan["filter"], scan["limit"], scan["hint"]) == ({}, 7, "search_words")
    whole = index_reads.scan("nanna", asked, [{"a": 1}], None, None, limit=7)
    assert whole["min"] == {"search.t": "nanna", "keys.name": "", "_id": MinKey()}
    assert whole["max"] == {"search.t": "nanna", "keys.name": {}, "_id": MinKey()}
    assert whole["filter"] == {"$and": [{"a": 1}]}
    assert index_reads.past("nanna", start)["skip"] == SCAN


def test_a_word_alone_needs_no_second_look() -> None:
    assert index_reads.narrowed(patterns("anna"), []) == []
    assert len(index_reads.narrowed(patterns("anna"), [{"a": 1}])) == 2
    assert len(index_reads.narrowed(patterns("anna abel"), [])) == 2
    assert len(index_reads.narrowed(patterns("city:anna"), [])) == 1


def test_users_with_a_word_in_another_field_may_be_near_in_the_one_asked() -> None:
    assert index_reads.not_exact(patterns("city:anna abel")) == {}
    assert "$nor" in index_reads.not_exact(patterns("anna abel"))


def test_a_row_is_read_for_the_fields_that_are_asked() -> None:
    assert index_reads.wanted(patterns("anna")) == {"search.t": 1, "keys.name": 1}
    assert index_reads.wanted(patterns("city:anna tag:x name:y")) == {
        "search.t": 1, "keys.name": 1, "profile.addresses.city": 1, "tags": 1, "name": 1,
    }  # fmt: skip


def test_the_beginning_of_an_address_or_number_is_one_range() -> None:
    match, cut = index_reads.by_email("anna@ex")
    assert match["$match"] == {
        "keys.email": {"$gte": "anna@ex", "$lt": "anna@ex\U0010ffff", "$type": "string"}
    }
    assert cut == {"$limit": SCAN}
    match, cut = index_reads.by_digits("301", None)
    assert match["$match"] == {"search.p": {"$elemMatch": {"$gte": "301", "$lt": "301\U0010ffff"}}}
    assert cut == {"$limit": SCAN}


@pytest.mark.parametrize("local", ["a", "castle41", "ann.smithson1234", "abcdefgh" * 4])
def test_spellings_of_an_address_are_bounded_and_hold_all_that_are_one_edit_away(local: str) -> None:
    before, within = index_reads.near_email(f"{local}@example.com")
    spellings = before[0]["$match"]["keys.email"]["$in"]
    assert len(spellings) <= 2_900
    assert f"{local}@example.com" not in spellings
    assert {f"{local[1:]}@example.com", f"{local}x@example.com", f"0{local}@example.com"} <= set(spellings)
    assert within[0]["$match"]["keys.email"]["$gte"] == f"{local}@"


def test_of_a_text_without_a_sign_only_the_sign_is_sought() -> None:
    [asked] = index_reads.near_email("castle41example.com")
    assert "castle41@example.com" in asked[0]["$match"]["keys.email"]["$in"]
    assert len(asked[0]["$match"]["keys.email"]["$in"]) <= 4 * 20


def test_long_local_parts_are_not_spelt_again() -> None:
    assert index_reads.near_email(f"{'a' * 33}@example.com") == []
    assert index_reads.near_email("") == []
