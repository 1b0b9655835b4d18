"""What events are made of, and what makes none."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId, Timestamp

from app.auth.sessions.session_ids import new_grant, new_sid
from app.events.causes import MAKERS, make

_AT = datetime(2026, 1, 31, 8, tzinfo=UTC)
_USER = ObjectId()


def _entry(action: str, *differences: tuple[str, Any, Any], **more: Any) -> dict[str, Any]:
    told = [{"pointer": pointer, "from": before, "to": after} for pointer, before, after in differences]
    return {
        "_id": ObjectId(),
        "at": _AT,
        "user": _USER,
        "action": action,
        "by": None,
        "via": "api",
        "version": 2,
        "differences": told,
    } | more


def _made(collection: str, document: dict[str, Any]) -> dict[str, Any]:
    made = MAKERS[collection](document, _AT)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("entry", "ends"),
    [
        (_entry("changed", ("/name", "a", "b")), False),
        (_entry("changed", ("/is_active", True, False)), True),
        (_entry("changed", ("/is_active", False, True)), False),
        (_entry("changed", ("/scopes", ["me"], ["me", "users:read"])), False),
        (_entry("changed", ("/scopes", ["me", "users:read"], ["me"])), True),
        (_entry("changed", ("/scopes", ["me"], None)), True),
        (_entry("created", ("/is_active", None, False)), False),
        (_entry("deleted"), True),
        (_entry("password_set"), True),
        (_entry("signed_out"), True),
    ],
)
def test_an_event_says_whether_sessions_end_with_it(entry: dict[str, Any], ends: bool) -> None:  # noqa: FBT001 - a case
    assert _made("audit", entry)["data"]["ends_sessions"] is ends


def test_an_entry_of_a_group_is_an_event_of_the_group() -> None:
    group = ObjectId()
    made = _made("audit", _entry("changed", ("/groups", None, str(group)), group=group, version=None))
    assert (made["type"], made["user"], made["version"]) == ("group.changed", None, None)
    assert made["data"] == {
        "group": str(group), "member": str(_USER), "version": None, "fields": ["/groups"],
        "by": None, "via": "api",
    }  # fmt: skip


def test_an_entry_that_concerns_nobody_else_makes_no_event() -> None:
    assert MAKERS["audit"](_entry("mail_failed"), _AT) is None


@pytest.mark.parametrize("is_grant", [False, True])
def test_the_end_of_a_session_names_its_user(*, is_grant: bool) -> None:
    sid = new_sid(str(_USER))
    sid = new_grant(sid) if is_grant else sid
    made = _made("ended_sessions", {"_id": sid, "reason": "displaced"})
    assert made["data"] == {"user": str(_USER), "session": sid, "reason": "displaced"}
    assert made["user"] == _USER


def test_an_end_that_names_no_session_makes_no_event() -> None:
    assert MAKERS["ended_sessions"]({"_id": "x", "reason": "revoked"}, _AT) is None


def test_a_job_makes_an_event_once_it_has_ended_unless_nobody_asked_for_it() -> None:
    job = {"_id": ObjectId(), "kind": "export", "state": "failed", "by": None, "ended_at": _AT}
    assert _made("jobs", job)["data"]["state"] == "failed"
    assert MAKERS["jobs"](job | {"state": "running"}, _AT) is None
    assert MAKERS["jobs"](job | {"kind": "logout_notice"}, _AT) is None


def test_a_webhook_makes_an_event_when_it_is_paused_of_each_pause_another() -> None:
    webhook = {"_id": ObjectId(), "paused_at": _AT, "paused_for": "gone"}
    again = _made("webhooks", webhook | {"paused_at": _AT.replace(hour=9)})
    assert _made("webhooks", webhook)["event"] != again["event"]
    assert MAKERS["webhooks"](webhook | {"paused_at": None}, _AT) is None


def test_a_change_is_read_as_it_was_written_though_the_document_has_changed_since() -> None:
    job = {"_id": ObjectId(), "kind": "export", "by": None}
    change = {
        "ns": {"coll": "jobs"},
        "clusterTime": Timestamp(1_769_846_400, 1),
        "fullDocument": job | {"state": "queued"},
        "updateDescription": {"updatedFields": {"state": "succeeded", "ended_at": _AT}},
    }
    made = make(change)
    assert made is not None
    assert made["data"]["state"] == "succeeded"
    assert make(change | {"fullDocument": None}) is None


def test_what_is_made_again_has_the_same_id_and_what_differs_another() -> None:
    entry = _entry("changed")
    assert _made("audit", entry)["event"] == _made("audit", dict(entry))["event"]
    assert _made("audit", entry)["event"] != _made("audit", _entry("changed"))["event"]
