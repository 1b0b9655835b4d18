"""The folder that Roster writes its mails to, and the links in them."""

import email
import re
import time
from email.policy import default
from pathlib import Path

_MOST_LOOKS, _PAUSE_S = 300, 0.1


def find_link(folder: Path, purpose: str) -> str:
    """The newest link of this purpose, once its mail is there."""
    link = re.compile(rf"http://\S+/auth/mail/{purpose}\?token=[\w-]+")
    for _ in range(_MOST_LOOKS):
        for file in sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True):
            mail = email.message_from_bytes(file.read_bytes(), policy=default)
            body = mail.get_body(("plain",))
            if body is not None and (found := link.search(body.get_content())) is not None:
                return found[0]
        time.sleep(_PAUSE_S)  # between two looks: a sender begins within seconds
    raise AssertionError(f"No mail for {purpose} came.")
