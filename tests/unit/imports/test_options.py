from app.imports import options
from app.spreadsheets.reading.values import Choices
from models.imports import ImportQuery


def test_what_was_asked_is_found_again_in_the_import() -> None:
    asked = ImportQuery(columns="email:Mail", format="csv", delimiter="tab", ignore="id", blank="keep")
    found = options.recall(options.keep(asked))
    assert found == asked
    assert options.choices(found) == Choices(format="csv", delimiter="tab")


def test_an_import_that_is_older_than_an_option_is_as_if_nothing_was_said_of_it() -> None:
    old = {"reading": {"format": None, "delimiter": ";", "encoding": "utf-8"}, "mapping": None}
    found = options.recall(old)
    assert (found.sheet, found.ignore, found.blank) == (None, None, "remove")
    assert options.choices(found) == Choices(delimiter=";", encoding="utf-8")
