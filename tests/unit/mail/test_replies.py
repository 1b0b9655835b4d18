"""What is kept of a mail server's answer: nothing that it repeats of the mail."""

import errno
import socket

import pytest
from aiosmtplib import SMTPConnectError, SMTPException, SMTPResponseException, SMTPServerDisconnected

from app.mail.replies import explain, is_final


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("5.1.1 <ana@example.com>: unknown", "550 5.1.1 <…>: unknown"),
        ("5.1.1 unknown: 'ana+x@bücher.example'", "550 5.1.1 unknown: '…'"),
        ("spam: http://a.example/?token=dGhpcyBpcyBhIHRva2Vu seen", "550 spam: … seen"),
        ("spam: dGhpcyBpcyBhIHRva2VuIG9m", "550 spam: …"),
        ("spam: your code is 042137", "550 spam: your code is …"),
        ("one\ntwo\x00\x1b[31m", "550 one two[31m"),
        ("x " * 300, ("550 " + "x " * 98)[:200].rstrip()),
    ],
)
def test_an_answer_is_kept_without_addresses_links_and_codes(said: str, kept: str) -> None:
    assert explain(SMTPResponseException(550, said)) == kept


def caused(cause: Exception) -> SMTPConnectError:
    """As the library wraps what went wrong below it."""
    error = SMTPConnectError("Error connecting to mail.example.com on port 587")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SMTPServerDisconnected("lost"), "it does not answer (SMTPServerDisconnected)"),
        (SMTPException("STARTTLS is not supported"), "STARTTLS is not supported"),
        (caused(ConnectionRefusedError(errno.ECONNREFUSED, "x")), "it cannot be reached: Connection refused"),
        (
            caused(socket.gaierror(-2, "Name or service not known")),
            "it cannot be found: Name or service not known",
        ),
        (caused(OSError("Multiple exceptions")), "it does not answer (SMTPConnectError)"),
    ],
)
def test_it_is_told_why_there_was_no_answer(error: Exception, reason: str) -> None:
    assert explain(error) == reason


def test_only_codes_from_500_are_final() -> None:
    assert is_final(SMTPResponseException(550, ""))
    assert not is_final(SMTPResponseException(451, ""))
