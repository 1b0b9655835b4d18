"""Which column is which field: by its name, by what the caller says, by labels of exports."""

import pytest

from app.core.errors import InvalidError, UnreadableFileError
from app.imports.mapped_columns import MOST_KEYS, MappedColumns
from app.spreadsheets.columns import MOST_ADDRESSES, catalogue
from app.spreadsheets.reading.values import LONGEST_HEADING


def fields(*heading: str, asked: str | None = None, **labels: str) -> dict[str, str | None]:
    return {column.heading: column.field for column in MappedColumns.of_heading(heading, asked, labels)}


def complaints(*heading: str, asked: str | None = None, **labels: str) -> list[str]:
    with pytest.raises(InvalidError) as refused:
        MappedColumns.of_heading(heading, asked, labels)
    assert {error.parameter for error in refused.value.errors} == {"columns"}
    return [error.detail for error in refused.value.errors]


def test_every_column_of_the_export_is_known_by_its_name() -> None:
    names = [column.name for column in catalogue(MOST_ADDRESSES)]
    assert fields(*names) == {name: name for name in names}


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("E-Mail", "email"),
        ("EMAIL", "email"),
        ("ｅｍａｉｌ", "email"),
        ("Avatar URL", "avatar_url"),
        ("is active", "is_active"),
        ("Address1 City", "address1_city"),
        ("last.login.at", "last_login_at"),
        ("password-hash", "password_hash"),
    ],
)
def test_case_and_separators_do_not_matter(heading: str, field: str) -> None:
    assert fields("id", heading)[heading] == field


def test_what_the_caller_says_goes_before_everything() -> None:
    asked = "email:Contact,name:email"
    assert fields("Contact", "email", asked=asked) == {"Contact": "email", "email": "name"}


def test_labels_of_exports_are_understood_and_unknown_columns_named() -> None:
    found = MappedColumns.of_heading(["Adresse", "Kunde", "id"], None, {"Adresse": "address1_street"})
    assert [(column.heading, column.field, column.use) for column in found] == [
        ("Adresse", "address1_street", "field"),
        ("Kunde", None, "unknown"),
        ("id", "id", "key"),
    ]


def test_each_use_is_told() -> None:
    names = [
        "id",
        "email",
        "name",
        "version",
        "delete",
        "password_hash",
        "created_at",
        "status",
        "error",
        "x",
    ]
    assert [column.use for column in MappedColumns.of_heading(names, None, {})] == [
        "key", "key", "field", "version", "delete", "password_hash", "read_only", "status", "status",
        "unknown",
    ]  # fmt: skip


def test_a_heading_that_could_be_two_fields_is_not_guessed() -> None:
    (said,) = complaints("id", "Name", Name="username")
    assert said == "`Name` may be name or username: choose one, as in columns=name:Name"
    assert fields("id", "Name", asked="username:Name", Name="title") == {"id": "id", "Name": "username"}


def test_two_headings_of_one_field_are_refused() -> None:
    assert complaints("email", "E-Mail") == ["`email` and `E-Mail` are both email: keep one"]
    assert fields("id", "status", "Status") == {"id": "id", "status": "status", "Status": "status"}


def test_a_file_without_a_key_is_refused() -> None:
    (said,) = complaints("name", "age")
    assert said == "one of id, email and username is needed to find the users of rows"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("nmae:Name", "there is no field `nmae`: did you mean name"),
        ("", "a field's name is empty"),
        ("email:", "the label after `email:` is empty"),
        ("email:a,email:b", "`email` or its label occurs twice"),
        ("email:a,name:a", "`name` or its label occurs twice"),
        ("email:Mail", "there is no column `Mail` in the file for email"),
    ],
)
def test_what_is_wrong_with_columns_is_said(asked: str, said: str) -> None:
    assert complaints("id", "a", asked=asked)[0].startswith(said)


def test_at_most_twenty_complaints_are_made() -> None:
    assert len(complaints("id", asked=",".join(f"x{number}:y" for number in range(50)))) == 20


def test_columns_are_found_again_as_they_were_stored() -> None:
    found = MappedColumns.of_heading(["Mail", "x"], "email:Mail", {})
    again = MappedColumns("email:Mail", found.documents())
    assert list(again) == list(found)
    assert again.heading_of("email") == "Mail"
    assert again.heading_of("name") is None


def test_objects_with_ever_new_keys_are_refused() -> None:
    columns = MappedColumns(None)
    for number in range(MOST_KEYS):
        columns.find(f"key {number}")
    with pytest.raises(UnreadableFileError):
        columns.find("one more")


def test_a_key_is_no_longer_than_a_heading() -> None:
    columns = MappedColumns(None)
    assert columns.find("k" * LONGEST_HEADING).use == "unknown"
    with pytest.raises(UnreadableFileError, match="more than 255 characters"):
        columns.find("k" * (LONGEST_HEADING + 1))
