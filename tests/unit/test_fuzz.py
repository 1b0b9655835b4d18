"""What `make fuzz` knows of the operations, so that a new one is not forgotten until it runs."""

import json

from fuzz import excuses, peers
from tests.support_openapi import operations, read_document


def test_each_operation_with_an_id_in_its_path_has_a_rule_for_the_peers() -> None:
    with_ids = {said["operationId"] for _, path, said in operations(read_document()) if "{" in path}
    assert with_ids == peers.RULES.keys()


def test_a_rejection_is_excused_only_if_each_of_its_fields_is() -> None:
    def find(*pointers: str) -> str | None:
        errors = [{"detail": "x", "pointer": pointer} for pointer in pointers]
        said = json.dumps({"code": "validation_failed", "errors": errors}).encode()
        return excuses.find("RejectedPositiveData", excuses.Sent("POST /users", "/users"), 422, said)

    assert find("/email") == excuses.FINER["email"]
    assert find("/tags/3") == excuses.FINER["tags"]
    assert find("/email", "/is_active") is None
    assert find() is None


def test_no_other_check_is_excused_by_a_field() -> None:
    said = json.dumps({"code": "validation_failed", "errors": [{"pointer": "/email"}]}).encode()
    assert excuses.find("ServerError", excuses.Sent("POST /users", "/users"), 500, said) is None
    assert excuses.find("AcceptedNegativeData", excuses.Sent("POST /users", "/users"), 201, said) is None
    assert excuses.find("RejectedPositiveData", excuses.Sent("POST /users", "/users"), 500, b"broken") is None
