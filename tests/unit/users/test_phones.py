"""Phone numbers as the library reads them, and the sentences for those that it cannot."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import phones

SHORT = "has too few digits for a number of +{}: give it whole, with its area code"
NO_COUNTRY = "must begin with + and the code of a country, such as +86"
NATIONAL = "must be an international number (E.164): + and the country's code first, such as +8613800138000"
LETTERS = "must be written in digits, without words or letters, such as +8613800138000"
EXTENSION = "must not have an extension, for which E.164 has no place: write it as +4930123456"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49 (0)151 1234567", "+491511234567"),
        ("+4901511234567", "+491511234567"),
        ("+49 151/123-45.67", "+491511234567"),
        ("(+49) 151 1234567", "+491511234567"),
        ("+49 00151 1234567", "+491511234567"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("+7 8 495 123-45-67", "+74951234567"),
        ("+39 06 1234 5678", "+390612345678"),
        ("+39 (0)6 1234 5678", "+390612345678"),
        ("+54 011 15 2345 6789", "+5491123456789"),
        ("+36 06 20 123 4567", "+36201234567"),
        ("+1 1 650 253 0000", "+16502530000"),
        ("tel:+1-650-253-0000", "+16502530000"),
        ("+800 1234 5678", "+80012345678"),
        ("＋４９１５１１２３４５６７", "+491511234567"),
        ("+٤٩١٥١١٢٣٤٥٦٧", "+491511234567"),
        ("\u202a+49 151 1234567\u202c", "+491511234567"),
        ("+49\u00a0151\u20111234567", "+491511234567"),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, number: str) -> None:
    assert phones.read(text) == number
    assert phones.key(text) == number


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0151 1234567", NATIONAL),
        ("0049 151 1234567", NATIONAL),
        ("+", NATIONAL),
        ("+34", NATIONAL),
        ("+49+151", NATIONAL),
        ("+0600000000", NO_COUNTRY),
        ("+999 123456", NO_COUNTRY),
        ("+49 151", SHORT.format(49)),
        ("+1 253 0000", SHORT.format(1)),
        ("+1 650", SHORT.format(1)),
        ("+86 138 0013 8000 000", "has more digits than a number of +86: leave out any extension"),
        ("+54 123456789012", "has more digits than a number of +54: leave out any extension"),
        ("+290 123456", "has more digits than a number of +290: leave out any extension"),
        ("+674 12345678", "has more digits than a number of +674: leave out any extension"),
        ("+376 1234567", "does not have the length of a number of +376"),
        ("+1 650 253 0000 x12", EXTENSION),
        ("+34600000000;ext=7", EXTENSION),
        ("+34 600 000 000 ext. 7", EXTENSION),
        ("0151 5555555;ext=1", EXTENSION),
        ("+1 800 FLOWERS", LETTERS),
        ("call +34600000000", LETTERS),
        ("+34 600 000 000 ana", LETTERS),
    ],
)
def test_what_nobody_can_be_called_by_is_refused_with_what_would_be_right(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^.+$") as refused:
        phones.read(text)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("0151 1234567", "DE", "+491511234567"),
        ("151 1234567", "DE", "+491511234567"),
        ("0049 151 1234567", "DE", "+491511234567"),
        ("001 650 253 0000", "DE", "+16502530000"),
        ("8 495 123-45-67", "RU", "+74951234567"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("(650) 253-0000", "US", "+16502530000"),
        ("٠٥٠١٢٣٤٥٦٧", "SA", "+966501234567"),
    ],
)
def test_a_national_number_becomes_one_of_its_region(text: str, region: str, number: str) -> None:
    assert phones.international(text, region) == number
    assert phones.key(text, region) == number


@pytest.mark.parametrize("text", ["+49 (0)151 1234567", "ana", "", "0151 x1", "＋49 151"])
def test_what_is_international_or_no_number_stays_for_the_model_to_judge(text: str) -> None:
    assert phones.international(text, "DE") == text
    assert phones.international("0151 1234567", None) == "0151 1234567"


def test_numbers_are_found_where_users_patches_and_batches_have_them() -> None:
    body = {
        "phone": "0151 1234567",
        "operations": [
            {"op": "create", "user": {"phone": "0151 1234568"}},
            {"op": "update", "patch": {"phone": None}},
            {"op": "update", "patch": {"phone": "0151 1234569"}},
            {"op": "delete"},
            7,
        ],
    }
    phones.internationalise(body, "DE")
    assert body == {
        "phone": "+491511234567",
        "operations": [
            {"op": "create", "user": {"phone": "+491511234568"}},
            {"op": "update", "patch": {"phone": None}},
            {"op": "update", "patch": {"phone": "+491511234569"}},
            {"op": "delete"},
            7,
        ],
    }


@pytest.mark.parametrize("body", [None, [], "x", {"phone": 7, "operations": {}}, {"phone": ["0151 1"]}])
def test_what_is_no_user_is_left_alone(body: object) -> None:
    phones.internationalise(body, "DE")


def test_the_library_s_own_examples_are_read_in_all_their_forms() -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number(region)
        assert number is not None
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        at_home = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        assert phones.read(e164) == phones.read(shown) == phones.international(at_home, region) == e164


@given(st.from_regex(r"\+[0-9]{5,16}", fullmatch=True))
def test_what_was_read_is_read_as_the_same_again(text: str) -> None:
    number = phones.find(text)
    if number is not None and number.wrong is None:
        assert phones.read(number.e164) == number.e164


@given(st.text(max_size=60), st.sampled_from([None, "DE", "US", "IT"]))
def test_no_text_breaks_a_look_up(text: str, region: str | None) -> None:
    assert phones.key(text, region).startswith("+")
