"""What `make fuzz` knows of the operations, so that a new one is not forgotten until it runs."""

import json
from types import SimpleNamespace

import pytest

from fuzz import excuses, firsts, peers
from fuzz.successes import Successes
from tests.support.openapi import operations, read_document


def test_each_operation_with_an_id_in_its_path_has_a_rule_for_the_peers() -> None:
    with_ids = {said["operationId"] for _, path, said in operations(read_document()) if "{" in path}
    assert with_ids == peers.RULES.keys()


def test_a_rejection_is_excused_only_if_each_of_its_fields_is() -> None:
    def find(*pointers: str) -> tuple[str, ...]:
        errors = [{"detail": "x", "pointer": pointer} for pointer in pointers]
        said = json.dumps({"code": "validation_failed", "errors": errors}).encode()
        return excuses.find("RejectedPositiveData", excuses.Sent("POST /users", "/users"), 422, said)

    assert find("/email") == (f"`email` {excuses.FINER['email']}.",)
    assert find("/tags/3", "/email", "/tags/4") == (
        f"`email` {excuses.FINER['email']}.",
        f"`tags` {excuses.FINER['tags']}.",
    )
    assert not find("/email", "/is_active")
    assert not find()


@pytest.mark.parametrize(
    "detail",
    [
        "This is required.",
        "Must match the pattern ^[^,;]*$.",
        "Must be at most 150.",
        "Must be a string.",
        "There is no field of this name here.",
    ],
)
def test_what_the_schema_says_is_excused_for_no_field(detail: str) -> None:
    said = {"code": "validation_failed", "errors": [{"detail": detail, "parameter": "q"}]}
    sent = excuses.Sent("GET /users/suggest", "/users/suggest")
    assert not excuses.find("RejectedPositiveData", sent, 422, json.dumps(said).encode())


def test_a_header_is_excused_only_if_it_was_sent_empty() -> None:
    said = json.dumps({"code": "validation_failed", "errors": [{"parameter": "If-Match"}]}).encode()

    def find(*empty: str) -> tuple[str, ...]:
        sent = excuses.Sent("PUT /users/{user_id}", "/users/1", frozenset(empty))
        return excuses.find("RejectedPositiveData", sent, 422, said)

    assert find("if-match")
    assert not find("if-none-match")
    assert not find()


def test_a_batch_is_excused_only_if_it_refused_an_operation() -> None:
    def find(*statuses: int) -> tuple[str, ...]:
        said = json.dumps({"results": [{"status": status} for status in statuses]}).encode()
        sent = excuses.Sent("POST /users:batch", "/users:batch")
        return excuses.find("AcceptedNegativeData", sent, 200, said)

    assert find(201, 422)
    assert not find(201, 404)


def test_what_needs_a_password_is_given_the_guests() -> None:
    known = Successes("guest", "secret", "1", ["a"], ["b"], ["t"], "opaque", ["c", "d"])
    form = {"grant_type": "password", "username": "x", "password_jwe": "x"}
    known.enable("POST /auth/token", {}, form)
    assert form == {"grant_type": "password", "username": "guest", "password": "secret"}
    change = {"current_password": "x", "current_password_jwe": "y", "new_password_jwe": "z"}
    known.enable("POST /users/me/password", {}, change)
    assert change == {"current_password": "secret", "new_password_jwe": "z"}


def test_each_session_of_the_visitor_is_ended_once() -> None:
    known = Successes("guest", "secret", "1", ["a"], ["b"], ["t"], "opaque", ["c", "d"])
    name, placed, left = "DELETE /users/{user_id}/sessions/{session_id}", {"user_id": "7"}, {"user_id": "7"}
    known.enable(name, placed, None)
    known.enable(name, left, None)
    assert (placed, left) == ({"user_id": "1", "session_id": "a"}, {"user_id": "7"})


def test_each_of_some_people_is_replaced_once() -> None:
    known = Successes("guest", "secret", "1", ["a"], ["b"], ["t"], "opaque", ["c", "d"])
    placed, left = {"user_id": "7"}, {"user_id": "7"}
    known.enable("PUT /users/{user_id}", placed, None)
    known.enable("PUT /users/{user_id}", left, None)
    assert (placed, left) == ({"user_id": "b"}, {"user_id": "7"})


def test_each_consent_is_withdrawn_once_by_its_user_or_of_the_visitor() -> None:
    known = Successes("guest", "secret", "1", ["a"], ["b"], ["t"], "opaque", ["c", "d"])
    mine, theirs, left = {"client_id": "7"}, {"user_id": "7", "client_id": "7"}, {"client_id": "7"}
    known.enable("DELETE /users/me/consents/{client_id}", mine, None)
    known.enable("DELETE /users/{user_id}/consents/{client_id}", theirs, None)
    known.enable("DELETE /users/me/consents/{client_id}", left, None)
    assert (mine, theirs, left) == (
        {"client_id": "d"}, {"user_id": "1", "client_id": "c"}, {"client_id": "7"},
    )  # fmt: skip


def test_what_only_a_mail_brings_about_is_given_to_its_operation_alone() -> None:
    known = Successes(
        "guest", "secret", "1", [], [], [], "opaque", [],
        {"DELETE /mails/{mail_id}": {"mail_id": "m"}}, {"POST /auth/email/take-back": {"token": "t"}},
    )  # fmt: skip

    def prepare(label: str) -> tuple[dict[str, str], dict[str, str]]:
        operation = SimpleNamespace(label=label)
        case = SimpleNamespace(operation=operation, headers={}, path_parameters={"mail_id": "7"}, body={})
        firsts.prepare(case, known)
        return case.path_parameters, case.body

    assert prepare("DELETE /mails/{mail_id}") == ({"mail_id": "m"}, {})
    assert prepare("POST /auth/email/take-back") == ({"mail_id": "7"}, {"token": "t"})
    assert prepare("GET /mails/{mail_id}") == ({"mail_id": "7"}, {})


def test_no_other_check_is_excused_by_a_field() -> None:
    said = json.dumps({"code": "validation_failed", "errors": [{"pointer": "/email"}]}).encode()
    assert not excuses.find("ServerError", excuses.Sent("POST /users", "/users"), 500, said)
    assert not excuses.find("AcceptedNegativeData", excuses.Sent("POST /users", "/users"), 201, said)
    assert not excuses.find("RejectedPositiveData", excuses.Sent("POST /users", "/users"), 500, b"broken")


def test_a_file_described_twice_is_excused_only_if_it_was() -> None:
    def find(detail: str) -> tuple[str, ...]:
        said = {"code": "validation_failed", "errors": [{"detail": detail, "parameter": "format"}]}
        sent = excuses.Sent("POST /users/import", "/users/import")
        return excuses.find("RejectedPositiveData", sent, 422, json.dumps(said).encode())

    assert find("May be given only once: in the query or in the form.")
    assert not find("May be given only once.")
