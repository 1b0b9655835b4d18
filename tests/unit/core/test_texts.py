"""The one rule for what people write, and every field that is held to it."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from models import texts
from models.account import EmailChange, InvitationInput, OwnPatch, Registration
from models.schedule import ScheduleInput, SchedulePatch
from models.user import FIELDS as DECLARED
from models.user import PARTS, UserInput, UserPatch
from models.values import held

BODIES = (
    UserInput,
    UserPatch,
    Registration,
    OwnPatch,
    EmailChange,
    InvitationInput,
    ScheduleInput,
    SchedulePatch,
)
SECRET = {"password_jwe", "current_password_jwe", "invitation", "recipients"}
"""Codes and ids that the service made: held to its own alphabet, or looked up by their hash."""
FILTERS = {"export"}
"""Finds what is stored, also what was allowed of old."""

RIGHT = {
    "email": "ana@example.com", "username": "anamaria", "phone": "+34600000000", "locale": "zh-CN",
    "avatar_url": "https://example.com/a.png", "cron": "30 6 * * MON", "timezone": "Europe/Berlin",
    "destination": "s3://reports/people.csv",
}  # fmt: skip
SEVERAL_LINES = {"bio", "street"}
BLANKS = [
    "",
    " ",
    "\t",
    "\u00a0",
    "\u3000",
    "\u200b",
    "\ufeff",
    "\u200e",
    "\u202a",
    "\u2068",
    "\r\n",
    "\u2029",
]
ODD = [
    "\x00", "\x07", "\x1b", "\x7f", "\x80", "\x9f", "\u00ad", "\u061c", "\u200b", "\u200e", "\u202a",
    "\u202e",
    "\u2060", "\u2066", "\u2069", "\ufdd0", "\ufeff", "\uffff", "\U0001ffff", "\U000e0041", "\ud800",
]  # fmt: skip
JOINED = [
    "شیرین\u200cبانو",
    "क्\u200dष",
    "അവന\u0d4d\u200d",
    "👩\u200d👩\u200d👧",
    "❤\ufe0f",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "\u0601 1447",
]


def models_of(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from models_of(part)


def is_text(kind: Any) -> bool:
    return kind is str or any(is_text(part) for part in get_args(kind) if part is not type(None))


def fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every field of text that a caller may say, with its place."""
    for name, field in model.model_fields.items():
        if name in SECRET | FILTERS:
            continue
        inner = list(models_of(field.annotation))
        for each in inner:
            yield from fields(each, f"{path}{name}.")
        if not inner and is_text(field.annotation):
            yield f"{path}{name}", field


FIELDS = [
    pytest.param(path.rpartition(".")[2], field, id=f"{body.__name__}.{path}")
    for body in BODIES
    for path, field in fields(body)
]


def judge(field: FieldInfo, text: str) -> Any:
    """What is stored of the text; ValidationError where it is refused."""
    is_list = str(field.annotation).startswith("list") or "list[" in str(field.annotation)
    kept = TypeAdapter[Any](field.rebuild_annotation()).validate_python([text] if is_list else text)
    return kept[0] if is_list else kept


def test_the_fields_are_all_that_people_write() -> None:
    names = {param.values[0] for param in FIELDS}
    declared = {each.name for each in (*DECLARED, *PARTS) if each.is_set and each.kind.type is str}
    assert names == {*RIGHT, *declared} - {"scopes"}


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_blanks_around_a_text_are_taken_off(name: str, field: FieldInfo) -> None:
    right = RIGHT.get(name, "Ana María")
    for blank in BLANKS:
        assert judge(field, f"{blank}{right}{blank}") == right, ascii(blank)


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_controls_and_what_nobody_sees_are_refused_within_a_text(name: str, field: FieldInfo) -> None:
    right = RIGHT.get(name, "AnaMaria")
    for char in ODD if name != "phone" else ["\x00", "\x07", "\x1b", "\uffff", "\ud800"]:
        with pytest.raises(ValidationError):
            judge(field, f"{right[:3]}{char}{right[3:]}")


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_lines_break_in_few_texts_alone(name: str, field: FieldInfo) -> None:
    for char in ("\t", "\n", "\r\n", "\x85", "\u2028", "\u2029"):
        text = f"ana{char}b"
        if name in SEVERAL_LINES:
            assert judge(field, text) == ("ana\tb" if char == "\t" else "ana\nb")
        else:
            with pytest.raises(ValidationError):
                judge(field, text)


@pytest.mark.parametrize(("name", "field"), [param for param in FIELDS if param.values[0] not in RIGHT])
def test_joiners_that_join_stay(name: str, field: FieldInfo) -> None:
    for text in JOINED:
        assert judge(field, text) == text, (name, ascii(text))


@pytest.mark.parametrize("text", ["a \u200d b", "a\u200c\u200cb", "(\u200db", "a\u200d,b"])
def test_a_joiner_that_joins_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must not contain U\+200[CD], which nobody sees: remove it$"):
        texts.line(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\u202eb", "must not contain U+202E, which nobody sees: remove it"),
        ("a\x1b[2Jb", "must not contain U+001B, a control character: remove it"),
        ("a\nb", "must be one line, without tabs and line breaks"),
        ("a\u2028b", "must be one line, without tabs and line breaks"),
    ],
)
def test_a_refusal_names_what_nobody_sees(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^.+$") as refused:
        texts.line(text)
    assert str(refused.value) == sentence


def test_what_is_nothing_but_blanks_is_missing() -> None:
    user = UserInput.model_validate(
        {
            "name": "Ana", "email": "ana@example.com", "username": " ", "phone": "\u00a0", "locale": "\u200b",
            "profile": {"bio": "\n", "title": "\u3164", "addresses": [{}, {"city": " "}, {"city": "x"}]},
        }
    )  # fmt: skip
    assert (user.username, user.phone, user.locale, user.profile.bio, user.profile.title) == (None,) * 5
    assert [address.city for address in user.profile.addresses] == ["x"]


def test_what_a_user_holds_already_is_not_judged_again_but_what_comes_new_is() -> None:
    old = {
        "name": "a\u202eb ", "email": "a" * 65 + "@example.com", "phone": "+4901511234567", "tags": ["x\x07"],
        "profile": {"addresses": [{"city": "Ber\u200blin"}]},
    }  # fmt: skip
    kept = UserInput.model_validate(old, context=held(old)).model_dump()
    assert {name: kept[name] for name in ("name", "email", "phone", "tags")} | {
        "profile": old["profile"]
    } == old | {"profile": {"addresses": [{"city": kept["profile"]["addresses"][0]["city"]}]}}
    with pytest.raises(ValidationError, match="1 validation error"):
        UserInput.model_validate(old | {"tags": ["a\u202eb "]}, context=held(old))


@pytest.mark.parametrize(
    ("email", "good"),
    [
        ("a" * 64 + "@example.com", True),
        ("a" * 65 + "@example.com", False),
        ("é" * 32 + "@example.com", True),
        ("é" * 33 + "@example.com", False),
    ],
)
def test_a_local_part_has_64_octets_at_most(email: str, good: bool) -> None:  # noqa: FBT001  # a column of the table
    if good:
        assert EmailChange(email=email).email == email
    else:
        with pytest.raises(ValidationError, match="must have at most 64 octets of UTF-8 before the @"):
            EmailChange(email=email)


@given(st.text(st.characters(), max_size=30))
def test_what_passed_once_passes_unchanged(text: str) -> None:
    for rule in (texts.line, texts.paragraphs):
        try:
            kept = rule(text)
        except ValueError:
            continue
        assert rule(kept) == kept


@pytest.mark.parametrize(
    ("agent", "shown"),
    [("curl/8.1", "curl/8.1"), ("\u202ea\x07b\u200b/1.0\n", "ab/1.0"), ("شی\u200cر", "شی\u200cر")],
)
def test_what_no_person_wrote_is_shown_without_what_is_refused(agent: str, shown: str) -> None:
    assert texts.visible(agent) == shown
