"""What is tried again of a transaction, and what is not."""

from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
)

from app.database.transactions import may_pass, together


def labelled(error: PyMongoError, *labels: str) -> PyMongoError:
    for label in labels:
        error._add_error_label(label)
    return error


LOST = labelled(OperationFailure("write conflict", 112), "TransientTransactionError")
UNKNOWN = labelled(AutoReconnect("gone"), "UnknownTransactionCommitResult")
OUT_OF_TIME = labelled(NetworkTimeout("late"), "UnknownTransactionCommitResult", "TransientTransactionError")


class Session:
    """Fails as it is told, in turn; remembers what it was asked."""

    def __init__(self, *commits: PyMongoError | None) -> None:
        self.commits = list(commits)
        self.asked: list[str] = []
        self.in_transaction = False
        self.session_id = "its own"
        self.operation_time = None

    async def end_session(self) -> None:
        self.asked.append("end")

    async def start_transaction(self) -> None:
        self.asked.append("start")
        self.in_transaction = True

    async def commit_transaction(self) -> None:
        self.asked.append("commit")
        self.in_transaction = False
        error = self.commits.pop(0) if self.commits else None
        if error is not None:
            raise error

    async def abort_transaction(self) -> None:
        self.asked.append("abort")
        self.in_transaction = False

    async def command(self, name: str, sessions: list[str]) -> None:
        assert sessions == [self.session_id]
        self.asked.append(name)


async def run(session: Session, *failures: Exception) -> Any:
    left = list(failures)

    async def work(given: Any) -> str:
        assert given is session
        if left:
            raise left.pop(0)
        return "done"

    client: Any = SimpleNamespace(
        start_session=lambda: session, options=SimpleNamespace(timeout=5), admin=session
    )
    return await together(client, work)


async def test_what_lost_a_race_is_begun_again() -> None:
    session = Session()
    assert await run(session, LOST, LOST) == "done"
    assert session.asked == ["start", "abort", "end"] * 2 + ["start", "commit", "end"]


async def test_a_commit_that_lost_its_primary_is_begun_again() -> None:
    session = Session(LOST)
    assert await run(session) == "done"
    assert session.asked == ["start", "commit", "end"] * 2


async def test_a_commit_of_which_nobody_knows_is_repeated_alone() -> None:
    session = Session(UNKNOWN, UNKNOWN)
    assert await run(session) == "done"
    assert session.asked == ["start", "commit", "commit", "commit", "end"]


@pytest.mark.parametrize(
    "error", [DuplicateKeyError("taken", 11000), ZeroDivisionError(), OUT_OF_TIME, AutoReconnect("gone")]
)
async def test_anything_else_gives_the_transaction_up(error: Exception) -> None:
    session = Session()
    with pytest.raises(type(error)):
        await run(session, error)
    assert session.asked == ["start", "abort", "end"]


async def test_a_commit_is_not_repeated_when_its_time_is_over_and_what_it_left_is_ended() -> None:
    session = Session(OUT_OF_TIME)
    with pytest.raises(NetworkTimeout):
        await run(session)
    assert session.asked == ["start", "commit", "killSessions", "end"]


async def test_a_commit_that_mongodb_refuses_has_left_nothing() -> None:
    session = Session(OperationFailure("no such transaction", 251))
    with pytest.raises(OperationFailure):
        await run(session)
    assert session.asked == ["start", "commit", "end"]


@pytest.mark.parametrize("part", ["writeErrors", "writeConcernErrors"])
@pytest.mark.parametrize(("code", "passes"), [(11_601, True), (121, False)])
def test_writes_whose_session_is_ended_can_be_tried_again(part: str, code: int, *, passes: bool) -> None:
    assert may_pass(BulkWriteError({part: [{"code": code}]})) is passes
