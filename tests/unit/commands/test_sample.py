import json
import re
import unicodedata
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from email_validator import validate_email

from app.commands import sample_names
from app.commands.sample import FIRST_CREATED, SPAN_MS, people

Person = dict[str, Any]


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return list(people(50_000))


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    assert list(people(50)) == list(people(50))
    assert [person["name"] for person in people(50, seed=8)] != [person["name"] for person in people(50)]


def test_a_small_directory_is_the_beginning_of_a_large_one_and_shares_can_start_anywhere(
    crowd: list[Person],
) -> None:
    assert list(people(10)) == crowd[:10]
    assert list(people(5, start=40_000)) == crowd[40_000:40_005]


def test_nobody_shares_an_email_username_or_phone_in_any_spelling(crowd: list[Person]) -> None:
    for field, at_least in (("email", 50_000), ("username", 33_000), ("phone", 38_000)):
        keys = [
            unicodedata.normalize("NFKC", person[field]).casefold() for person in crowd if field in person
        ]
        assert len(set(keys)) == len(keys) >= at_least


def test_phones_stay_unique_up_to_ten_million_people() -> None:
    spread = [person["phone"] for start in range(0, 10_000_000, 100_000) for person in people(20, start=start)
              if "phone" in person]  # fmt: skip
    assert len(set(spread)) == len(spread)
    assert all(re.fullmatch(r"\+[1-9]\d{9,14}", phone) for phone in spread)


def test_every_email_is_valid_without_a_test_environment(crowd: list[Person]) -> None:
    for person in crowd[::10]:
        checked = validate_email(person["email"], check_deliverability=False)
        assert checked.normalized.casefold() == person["email"].casefold()


def test_people_come_from_everywhere(crowd: list[Person]) -> None:
    scripts = Counter(unicodedata.name(person["name"][0]).split()[0] for person in crowd)
    for script in ("LATIN", "CJK", "HANGUL", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI"):
        assert scripts[script] > 500, script
    assert 0.15 < scripts["CJK"] / len(crowd) < 0.30
    names = " ".join(person["name"] for person in crowd)
    for part in (
        "O'Connor",
        "Anne-Marie",
        "van der Meer",
        "Müller-",
        "Łukasz",
        "İbrahim",
        "Nguyễn",
        "さくら",
        "张伟",
    ):
        assert part in names, part
    assert len({person["name"] for person in crowd}) > 15_000
    commonest, times = Counter(person["name"] for person in crowd).most_common(1)[0]
    assert 20 < times < 500, commonest  # namesakes exist, but nobody fills a page


def test_fields_are_missing_as_often_as_in_a_real_directory(crowd: list[Person]) -> None:
    def share(has: str, of: list[Person]) -> float:
        return sum(has in person for person in of) / len(of)

    profiles = [person["profile"] for person in crowd]
    expected = {"username": 0.7, "phone": 0.8, "avatar_url": 0.4, "locale": 0.8, "last_login_at": 0.6}
    for field, usual in expected.items():
        assert abs(share(field, crowd) - usual) < 0.02, field
    for field, usual in {"bio": 0.45, "age": 0.85, "title": 0.65, "department": 0.75}.items():
        assert abs(share(field, profiles) - usual) < 0.02, field
    assert abs(sum(person["is_active"] for person in crowd) / len(crowd) - 0.95) < 0.01
    assert abs(sum(person["email_verified"] for person in crowd) / len(crowd) - 0.75) < 0.01
    assert {len(profile["addresses"]) for profile in profiles} == {0, 1, 2, 3, 4}
    codes = [
        address["zipcode"] for profile in profiles for address in profile["addresses"] if "zipcode" in address
    ]
    assert sum(code.startswith("0") for code in codes) > 1_000


def test_nothing_is_empty_unnormalised_or_a_broken_tag(crowd: list[Person]) -> None:
    for person in crowd:
        text = json.dumps(person, ensure_ascii=False, default=str)
        assert '""' not in text
        assert "{}" not in text
        assert text == unicodedata.normalize("NFC", text)
        assert not any("," in tag for tag in person["tags"])
        assert len(set(person["tags"])) == len(person["tags"])
        assert 18 <= person["profile"].get("age", 18) <= 90


def test_moments_are_whole_milliseconds_of_three_years_and_mostly_distinct(crowd: list[Person]) -> None:
    end = FIRST_CREATED + timedelta(milliseconds=SPAN_MS)
    for person in crowd:
        assert FIRST_CREATED <= person["created_at"] <= person.get("last_login_at", end) <= end
        assert person["created_at"].microsecond % 1000 == 0
        assert ("last_login_at" in person) == ("last_login_ip" in person)
    assert len({person["created_at"] for person in crowd}) > 49_900


def test_the_words_of_all_29_places_lie_beside_the_module_that_reads_them() -> None:
    places = sample_names.places()

    assert len({place.locale for place in places}) == 29
    assert all(place.departments and place.titles and place.phones for place in places)
