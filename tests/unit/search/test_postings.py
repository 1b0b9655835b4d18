import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.sample import people
from app.search import index_reads
from app.search.names import pair
from app.search.postings import Indexed, index, place
from app.search.query_parser import parse
from app.search.words import script, split, texts

ANYTHING = st.text(st.characters(), max_size=30)
PROFILE = st.fixed_dictionaries(
    {
        "title": st.none() | ANYTHING,
        "department": st.none() | ANYTHING,
        "addresses": st.lists(st.fixed_dictionaries({"city": st.none() | ANYTHING}), max_size=4),
    }
)
USER = st.fixed_dictionaries(
    {
        "name": ANYTHING,
        "email": ANYTHING,
        "username": st.none() | ANYTHING,
        "phone": st.none() | st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
        "tags": st.lists(ANYTHING, max_size=4),
        "profile": PROFILE,
    }
)
PEOPLE = list(people(2_000))


def postings_of(kind: str, **user: Any) -> list[str]:
    return [token[1:] for token in index(user).t if token.startswith(kind)]


def test_an_ordinary_user_has_few_tokens() -> None:
    assert index(
        {
            "name": "Anna Meier",
            "email": "a.meier92@mail.example.com",
            "username": "annam",
            "phone": "+4930123",
            "tags": ["team:red"],
            "profile": {"title": "Analyst", "department": "IT", "addresses": [{"city": "Berlin"}]},
        }
    ) == Indexed(
        t=[
            "nanna", "nmeier", "nannameier",
            "ea", "emeier92", "e92", "eannam", "eexample", "eameier92",
            "rberlin", "rit", "ranalyst", "rteam", "rred",
            "e@mail.example.com", "e@example.com",
            "&anna meier", "+anna berlin", "+meier berlin", "+anna it", "+meier it",
        ],
        p=["4930123", "930123", "30123", "0123", "123"],
        words={
            "anna": False, "meier": False, "annam": True, "example": True,
            "berlin": False, "it": False, "analyst": False, "team": False, "red": False,
            "@mail.example.com": True, "@example.com": True,
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "Vincent van der Meer",
            "vincent van der meer vincentvan vander dermeer vincentvander vandermeer vincentvandermeer",
        ),
        ("Anne-Marie O’Brien", "anne marie obrien annemarie marieobrien annemarieobrien"),
        ("Jörg Müller", "jorg muller joerg mueller jorgmuller joergmueller"),
        ("Åse Sørensen", "ase sorensen aase soerensen asesorensen aasesoerensen"),
        ("José", "jose"),
        ("张伟", "zhang wei zhangwei zw 张 伟 张伟"),
        ("张 伟", "zhang wei zhangwei zw 张 伟 张伟"),
        ("欧阳娜娜", "ouyang nana ouyangnana ou yang na oynn 欧 阳 娜 欧阳 阳娜 娜娜 欧阳娜 阳娜娜 欧阳娜娜"),
        ("吕布", "lv lu lyu bu lvbu lubu lyubu lb 吕 布 吕布"),
        ("鈴木 アンナ", "suzuki anna suzukianna 铃 木 铃木 あ ん な あん んな あんな"),
        ("홍길동", "hong gildong kildong honggildong gil dong kil ᄒᄀᄃ ᄀᄃ 홍 길 동 홍길 길동 홍길동"),
        ("洪 길동", "gil dong gildong ᄀᄃ 洪 길 동 길동"),
        ("王伟 Wei Wang", "wei wang weiwang ww 王 伟 王伟 wangwei"),
        ("Agent 007b", "agent 007b 007 agent007b"),
    ],
)
def test_a_name_is_found_by_its_words_spellings_readings_and_substrings(name: str, expected: str) -> None:
    assert sorted(postings_of("n", name=name)) == sorted(expected.split())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Anna Meier", ["&anna meier"]),
        ("Meier Anna", ["&anna meier"]),
        ("Anna Anna", []),
        ("A B C D E", ["&a b", "&a c", "&a d", "&b c", "&b d", "&c d"]),
        ("Jörg Müller", ["&jorg muller", "&jorg mueller", "&joerg muller", "&joerg mueller"]),
        ("王小明", ["&wang xiaoming"]),
        (
            "田中 拓也",
            ["&拓也 田中", "&tian zhongtuoye", "&takuya tanaka", "&takunari tanaka", "&hiroya tanaka"],
        ),
    ],
)
def test_two_words_of_a_name_are_one_posting(name: str, expected: list[str]) -> None:
    assert ["&" + two for two in postings_of("&", name=name)] == expected


def test_no_name_has_more_than_ten_pairs() -> None:
    assert len(postings_of("&", name="Jörg Müller Örs Ünal")) == 10


@pytest.mark.parametrize(
    ("email", "username", "expected"),
    [
        ("schmidt92@example.com", None, "schmidt92 schmidt 92 example @example.com"),
        (
            "j.smith+news@www.mail.xy.co",
            None,
            "@xy.co @mail.xy.co @www.mail.xy.co xy j jsmith jsmithnews news smith smithnews",
        ),
        ("o'brien@corp", None, "obrien corp @corp"),
        ("", "Anna_Maria7", "anna maria7 maria annamaria7"),
        ("张伟@example.com", None, "example 张 伟 张伟 @example.com"),
    ],
)
def test_an_address_is_found_by_its_parts(email: str, username: str | None, expected: str) -> None:
    assert sorted(postings_of("e", email=email, username=username)) == sorted(expected.split())


def test_a_word_stands_under_its_best_class_only() -> None:
    user = {"name": "Berlin", "email": "berlin@vip.example", "tags": ["vip", "berlin"]}
    assert index(user).t == ["nberlin", "evip", "e@vip.example"]


def test_cities_are_found_by_umlauts_spelled_out_and_by_pinyin() -> None:
    profile = {"addresses": [{"city": "München"}, {"city": "北京"}, {"city": None}, {}]}
    assert postings_of("r", profile=profile) == ["munchen", "muenchen", "beijing", "北", "京", "北京"]


def test_substrings_of_other_fields_are_short_and_stay_within_a_field() -> None:
    assert postings_of("r", tags=["志愿者", "研发"]) == ["志", "愿", "者", "志愿", "愿者", "研", "发", "研发"]


def test_a_word_of_the_name_and_a_place_are_one_posting() -> None:
    profile = {"department": "IT", "title": "Boss", "addresses": [{"city": "New York"}, {"city": "北京"}]}
    assert postings_of("+", name="王伟", profile=profile) == [
        "王伟 new", "wang new", "wei new", "wangwei new",
        "王伟 york", "wang york", "wei york", "wangwei york",
        "王伟 北京",
        "王伟 it", "wang it", "wei it", "wangwei it",
    ]  # fmt: skip


def test_the_dictionary_knows_words_but_not_what_every_user_has_another_of() -> None:
    user = {
        "name": "Jörg van Müller",
        "email": "j.muller92@example.com",
        "username": "vanmuller",
        "tags": ["研发", "b", "team2"],
    }
    known = {"jorg", "joerg", "van", "muller", "mueller", "vanmuller", "example", "team", "@example.com"}
    assert index(user).words.keys() == known
    assert index({"name": "王小明"}).words.keys() == {"wang", "xiaoming", "wangxiaoming", "xiao", "ming"}


def test_a_phone_number_is_found_by_any_three_digits() -> None:
    assert index({"phone": "+4930123"}).p == ["4930123", "930123", "30123", "0123", "123"]
    assert index({"phone": None}).p == index({}).p == []


def test_a_user_without_anything_has_no_tokens() -> None:
    empty = Indexed(t=[], p=[], words={})
    assert index({}) == index({"name": None, "email": None, "tags": None, "profile": None}) == empty


def test_sample_people_have_few_tokens() -> None:
    counts = [len(index(person).t) for person in PEOPLE]
    assert statistics.median(counts) <= 25
    assert max(counts) <= 80


@pytest.mark.parametrize(
    "name", ["ab " * 10_922, "a" * 32_767, "張" * 32_767, "Ü王あ한" * 8_000, "吕 " * 16_000]
)
def test_monstrous_users_stay_bounded(name: str) -> None:
    tokens = index(
        {
            "name": name,
            "email": name,
            "username": name,
            "phone": "+" + "1" * 15,
            "tags": [f"{name[:100]} tag {number}" for number in range(50)],
            "profile": {
                "title": name,
                "department": name,
                "addresses": [{"city": f"{name[:100]} city {number}"} for number in range(10)],
            },
        }
    )
    assert len(tokens.t) <= 200
    assert len(tokens.words) <= 120
    assert len(tokens.p) == 13
    assert max(map(len, tokens.t)) <= 2 + 32 + 32


@given(USER)
def test_any_text_can_be_indexed_and_gives_the_same_tokens_again(user: dict[str, Any]) -> None:
    tokens = index(user)
    assert tokens == index(user)
    assert len(set(tokens.t)) == len(tokens.t) <= 200
    assert {token[0] for token in tokens.t} <= set("ner&+")
    assert not any(script(word) for word in tokens.words)
    assert tokens.words.keys() <= {token[1:] for token in tokens.t}
    "".join(tokens.t).encode()


def found(tokens: set[str], q: str) -> bool:
    """Whether each word typed stands among the tokens."""
    patterns = [pattern for term in parse(q).terms for pattern in index_reads.patterns(term)]
    return bool(patterns) and not any(pattern.exact.isdisjoint(tokens) for pattern in patterns)


def test_every_sample_person_is_found_by_what_stands_in_the_record() -> None:
    for person in PEOPLE:
        tokens = set(index(person).t)
        profile = person["profile"]
        assert found(tokens, person["name"])
        assert found(tokens, f'name:"{person["name"]}"')
        assert found(tokens, "".join(texts(person["name"])))
        assert found(tokens, person["email"])
        assert all(found(tokens, word.text) for word in split(person["name"]))
        for text in (
            *person["tags"],
            person.get("username"),
            profile.get("title"),
            profile.get("department"),
        ):
            assert not text or found(tokens, text)
        assert all(found(tokens, f'city:"{address["city"]}"') for address in profile["addresses"])


def test_every_sample_person_is_found_by_pairs() -> None:
    for person in PEOPLE:
        tokens = set(index(person).t)
        words = texts(person["name"])[:4]
        assert {pair(one, other) for one in words for other in words if one != other} <= tokens
        for address in person["profile"]["addresses"][:1]:
            assert {place(word, texts(address["city"])[0]) for word in words} <= tokens
