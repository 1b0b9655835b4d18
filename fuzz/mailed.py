"""What only mails bring about: codes that are good, and mails that wait or have failed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from anyio.from_thread import start_blocking_portal

from fuzz.accounts import PASSWORD, Account, create, sign_in
from tests.support import mail_server
from tests.support.live import wait_until
from tests.support.mail_server import MailServer

_REFUSED = {"deferred": "450 4.7.1 Greylisted", "refused": "550 5.1.1 No such mailbox"}
"""What the mail server says of two people's mailboxes."""


@contextmanager
def receiving() -> Iterator[MailServer]:
    """A mail server of ours, in a thread."""
    server = MailServer(enable_SMTPUTF8=True)
    server.recipients |= {f"{name}@fuzz.example.com": reply for name, reply in _REFUSED.items()}
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(mail_server.running(server)),
    ):
        yield server


def make_mails(caller: httpx.Client) -> dict[str, dict[str, str]]:
    """For each operation on one mail, the id of one that was not delivered."""
    deferred, refused = (_cause(caller, name) for name in _REFUSED)
    return {
        "DELETE /mails/{mail_id}": {"mail_id": deferred},
        "POST /mails/{mail_id}/send": {"mail_id": refused},
    }


def _cause(caller: httpx.Client, name: str) -> str:
    account = create(caller, name)
    caller.post(f"/users/{account.id}/activation").raise_for_status()
    found = caller.get("/mails", params={"user": account.id, "kind": "activate"}).raise_for_status()
    return str(found.json()["items"][0]["id"])


def make_bodies(caller: httpx.Client, server: MailServer) -> dict[str, dict[str, str]]:
    """For each operation that takes a code, a body with one; each of another user, as codes end others."""
    made = Codes(caller, server)
    password = {"password": PASSWORD}
    return {
        "POST /auth/activate": made.activate(create(caller, "activated")) | password,
        "POST /auth/password/reset": made.reset(create(caller, "forgetful")) | password,
        "POST /auth/email/verify": made.verify(create(caller, "verified")),
        "POST /auth/email/confirm": made.change(create(caller, "moved")),
        "POST /auth/email/take-back": made.take_back(create(caller, "returned")),
    }


class Codes:
    """Has codes mailed to users, and reads them from the mails."""

    def __init__(self, caller: httpx.Client, server: MailServer) -> None:
        """`caller` is an administrator."""
        self._caller = caller
        self._server = server

    def activate(self, account: Account) -> dict[str, str]:
        self._caller.post(f"/users/{account.id}/activation").raise_for_status()
        return self._read("activate", account.email)

    def verify(self, account: Account) -> dict[str, str]:
        with sign_in(str(self._caller.base_url), account) as user:
            user.post("/users/me/email/verification").raise_for_status()
        return self._read("verify_email", account.email)

    def reset(self, account: Account) -> dict[str, str]:
        self._caller.post("/auth/email/verify", json=self.verify(account)).raise_for_status()
        self._caller.post("/auth/password/forgotten", json={"email": account.email}).raise_for_status()
        return self._read("reset_password", account.email)

    def change(self, account: Account) -> dict[str, str]:
        email = f"new-{account.email}"
        with sign_in(str(self._caller.base_url), account) as user:
            change = {"email": email, "current_password": account.password}
            user.post("/users/me/email", json=change).raise_for_status()
        return self._read("change_email", email)

    def take_back(self, account: Account) -> dict[str, str]:
        self._caller.post("/auth/email/verify", json=self.verify(account)).raise_for_status()
        self._caller.post("/auth/email/confirm", json=self.change(account)).raise_for_status()
        return self._read("take_back_email", account.email)

    def _read(self, purpose: str, to: str) -> dict[str, str]:
        """The token of the link for this purpose, once a mail with it has come."""
        link = re.compile(rf"/auth/mail/{purpose}[?]token=([\w-]+)")

        def search() -> list[str]:
            bodies = [mail.get_body(("plain",)) for mail in self._server.taken if to in mail["To"]]
            return [token for body in bodies if body for token in link.findall(body.get_content())]

        wait_until(search)
        return {"token": search()[-1]}
