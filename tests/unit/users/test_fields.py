"""What a declaration of a field may not say: the sentence tells what to write."""

from datetime import datetime
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, create_model

from models import answers
from models.fields import Declared, check_names, made_of, read
from models.user import FIELDS, UserInput
from models.values import Blank, Line, Tags

WORD = Declared(answers.Line)


def model_of(declaration: Any, default: Any = None) -> type[BaseModel]:
    return create_model("Made", made_up=(declaration, default))


@pytest.mark.parametrize(
    ("declaration", "path", "wrong"),
    [
        (Line | None, (), "Declare Made.made_up for replies and other code"),
        (Annotated[datetime | None, WORD], (), "must be a text, a whole number, a flag or a list of texts"),
        (Annotated[list[int], WORD], (), "must be a text, a whole number, a flag or a list of texts"),
        (Annotated[Line, WORD], (), "must be `... | None` with the default None"),
        (Annotated[bool, WORD], (), "must be `... | None` with the default None"),
        (Annotated[Line | None, WORD], (), "needs Blank after its type"),
        (
            Annotated[Line | None, Blank, Declared(answers.Line, owner="sets")],
            ("profile",),
            "must not say who sets it",
        ),
        (
            Annotated[Line | None, Blank, Declared(answers.Line, admin=True)],
            ("profile",),
            "must not say who sets it",
        ),
        (Annotated[int | None, Declared(int, filter="How many.")], (), "needs two sentences as `filter`"),
        (
            Annotated[Line | None, Blank, Declared(answers.Line, filter=("From.", "To."))],
            (),
            "needs two sentences as `filter`",
        ),
        (Annotated[Tags, Declared(answers.Tags, sort=True)], (), "must not have `sort`"),
        (Annotated[bool | None, Declared(bool, sort=True)], (), "must not have `sort`"),
        (
            Annotated[Line | None, Blank, Declared(answers.Line, sort=True)],
            ("profile", "addresses"),
            "must not have `sort`",
        ),
        (Annotated[int | None, Declared(int, search=True)], (), "must not have `search`"),
        (
            Annotated[Line | None, Blank, Declared(answers.Line, unique=True)],
            (),
            "must not have `unique`",
        ),
    ],
)
def test_a_declaration_that_something_could_not_follow_is_refused_with_what_to_write(
    declaration: Any, path: tuple[str, ...], wrong: str
) -> None:
    with pytest.raises(TypeError, match=wrong.replace("|", r"\|").replace("...", r"\.\.\.")):
        list(read(model_of(declaration), *path))


def test_a_name_that_a_column_has_already_is_refused() -> None:
    fields = [*FIELDS, *read(model_of(Annotated[Line | None, Blank, WORD]))]
    check_names(fields)
    with pytest.raises(TypeError, match="made_up: a column has this name already"):
        check_names([*fields, fields[-1]])
    with pytest.raises(TypeError, match="status: a column has this name already"):
        check_names(read(create_model("Made", status=(Annotated[Line | None, Blank, WORD], None))))


def test_a_field_that_a_model_has_already_is_refused() -> None:
    with pytest.raises(TypeError, match="UserInput has name already: rename the field of a user"):
        made_of({"name": (str, ...)})(UserInput)
