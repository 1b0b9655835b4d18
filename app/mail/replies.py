"""What a mail server answers, told without what it repeats of the mail: addresses, links, codes."""

import os
import re
import socket
import ssl

from aiosmtplib import SMTPException, SMTPNotSupported, SMTPResponseException

_LONGEST = 200
_TOLD = re.compile(
    r"""[^\s<>"'(),;:]+@[^\s<>"'(),;:]+   # an address
      | \w+://\S+                          # a link
      | [\w-]{20,}                         # a token
      | \b\d{5,}\b                         # a code
    """,
    re.VERBOSE,
)
_FINAL = 500


def is_final(error: SMTPResponseException) -> bool:
    """Whether the same mail would be refused again (RFC 5321, section 4.2.1)."""
    return error.code >= _FINAL


def explain(error: Exception) -> str:
    """Why the mail server was of no use; of what it says, and of what the library does."""
    if isinstance(error, SMTPResponseException):
        return _cut(f"{error.code} {_hide(error.message)}")
    if type(error) in {SMTPException, SMTPNotSupported}:  # it lacks STARTTLS, or AUTH
        return _cut(_hide(str(error)))
    return _explain_silence(error.__cause__ or error) or f"it does not answer ({type(error).__name__})"


def _explain_silence(cause: BaseException) -> str | None:
    match cause:
        case ssl.SSLCertVerificationError() as cause:
            return f"its certificate is not trusted: {cause.verify_message}"
        case ssl.SSLError() as cause:
            return f"TLS fails: {cause.reason}"
        case socket.gaierror() as cause:
            return f"it cannot be found: {cause.strerror}"
        case OSError(errno=int(number)):
            return f"it cannot be reached: {os.strerror(number)}"
    return None


def _hide(said: str) -> str:
    return " ".join(_TOLD.sub("…", said).split())


def _cut(reason: str) -> str:
    return "".join(filter(str.isprintable, reason))[:_LONGEST].rstrip()
