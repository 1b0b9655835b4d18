import pytest
from pymongo.errors import OperationFailure

from app.database import driver_errors


@pytest.mark.parametrize(
    ("code", "refuses"),
    [(13, True), (None, True), (89, False), (91, False), (10107, False)],
    ids=["Unauthorized", "no code", "NetworkTimeout", "ShutdownInProgress", "NotWritablePrimary"],
)
def test_only_what_does_not_end_by_itself_is_a_refusal(code: int | None, *, refuses: bool) -> None:
    assert driver_errors.is_refusal(OperationFailure("It failed.", code)) is refuses
