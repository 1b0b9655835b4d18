"""`/mails`: administrators see the queue, have a mail sent again and drop one."""

from typing import Any

import httpx
import pytest

from tests.support.mail import mail, outbox_of, post, reached, stored_mails
from tests.support.mail_server import MailServer
from tests.support.users import NOBODY, problem


async def test_a_mail_is_shown_without_what_it_says(
    sender: httpx.AsyncClient, post_office: MailServer
) -> None:
    post_office.recipients["ana@example.com"] = "450 4.2.1 Busy"
    [mail_id] = await post(sender, mail(user_id=NOBODY))
    await reached(sender, tries=1, lease=None)
    reply = await sender.get(f"/mails/{mail_id}")
    assert reply.status_code == 200
    shown = reply.json()
    assert {name: shown[name] for name in shown if not name.endswith("_at")} == {
        "id": mail_id,
        "kind": "verify_email",
        "state": "waiting",
        "to": "ana@example.com",
        "user": NOBODY,
        "language": "en",
        "message_id": f"<{mail_id}@users.example.com>",
        "tries": 1,
        "reason": "450 4.2.1 Busy",
    }
    assert shown["sent_at"] is None
    assert shown["due_at"] > shown["created_at"]
    assert "token=abc" not in reply.text


async def test_the_list_is_filtered_and_paged(sender: httpx.AsyncClient, post_office: MailServer) -> None:
    post_office.recipients["gone@example.com"] = "550 5.1.1 No"
    await post(
        sender, mail("gone@example.com"), mail("zoe@example.com", user_id=NOBODY), mail("ana@example.com")
    )
    await reached(sender, 2, state="sent")
    await reached(sender, 1, state="failed")
    everything = (await sender.get("/mails")).json()["items"]
    assert [each["to"] for each in everything] == ["ana@example.com", "zoe@example.com", "gone@example.com"]
    filters: tuple[tuple[dict[str, Any], list[str]], ...] = (
        ({"state": "failed"}, ["gone@example.com"]),
        ({"state": ["sent", "failed"], "kind": "verify_email", "limit": 1}, ["ana@example.com"]),
        ({"user": NOBODY}, ["zoe@example.com"]),
        ({"kind": "activate"}, []),
    )
    for query, found in filters:
        reply = await sender.get("/mails", params=query)
        assert [each["to"] for each in reply.json()["items"]] == found
    query = {"state": "sent", "limit": 1}
    first = (await sender.get("/mails", params=query)).json()
    second = (await sender.get("/mails", params=query | {"cursor": first["next"]})).json()
    assert [each["to"] for each in second["items"]] == ["zoe@example.com"]
    assert second["next"] is None


async def test_a_failed_mail_is_sent_again(sender: httpx.AsyncClient, post_office: MailServer) -> None:
    post_office.recipients["ana@example.com"] = "550 5.1.1 No"
    [mail_id] = await post(sender, mail())
    await reached(sender, state="failed")
    post_office.reset()
    reply = await sender.post(f"/mails/{mail_id}/send")
    assert reply.status_code == 202
    assert reply.json()["state"] == "waiting"
    [sent] = await reached(sender, state="sent")
    assert post_office.message_ids == [sent.message_id]


async def test_a_sent_mail_is_neither_sent_again_nor_dropped(sender: httpx.AsyncClient) -> None:
    [mail_id] = await post(sender, mail())
    await reached(sender, state="sent")
    problem(await sender.post(f"/mails/{mail_id}/send"), 409, "mail_ended")
    problem(await sender.delete(f"/mails/{mail_id}"), 409, "mail_ended")


async def test_a_mail_that_a_sender_has_is_left_to_it(sender: httpx.AsyncClient) -> None:
    [mail_id] = await post(sender, mail())
    await reached(sender, state="sent")
    claimed = {"state": "waiting", "lease": "of a sender", "sealed": b"x"}
    await outbox_of(sender).mails.update_one(
        {}, [{"$set": claimed | {"due_at": {"$add": ["$$NOW", 60_000]}}}]
    )
    reply = await sender.post(f"/mails/{mail_id}/send")
    assert reply.status_code == 202
    [stored] = await stored_mails(sender)
    assert stored.lease == "of a sender"


async def test_a_mail_that_waits_is_dropped(sender: httpx.AsyncClient, post_office: MailServer) -> None:
    post_office.recipients["ana@example.com"] = "450 4.2.1 Busy"
    [mail_id] = await post(sender, mail())
    await reached(sender, tries=1, lease=None)
    assert (await sender.delete(f"/mails/{mail_id}")).status_code == 204
    problem(await sender.get(f"/mails/{mail_id}"), 404, "mail_not_found")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/send"), ("DELETE", "")])
async def test_an_unknown_mail_is_not_found(sender: httpx.AsyncClient, method: str, path: str) -> None:
    problem(await sender.request(method, f"/mails/{NOBODY}{path}"), 404, "mail_not_found")


async def test_a_filter_that_is_none_is_refused(sender: httpx.AsyncClient) -> None:
    reply = await sender.get("/mails", params={"state": "lost", "user": "ana"})
    found = {bad["parameter"] for bad in problem(reply, 422, "validation_failed")["errors"]}
    assert found == {"state", "user"}
