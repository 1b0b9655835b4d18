"""Mailboxes with or without a name (RFC 5322, section 3.4), read strictly."""

from email.headerregistry import Address, HeaderRegistry
from typing import Any

_HEADERS = HeaderRegistry()


def read(text: str) -> Address:
    """The one mailbox of the text, in ASCII, as every mail server takes it. ValueError: it is none."""
    header: Any = _HEADERS("From", text)  # of a class made as it runs; ValueError: a line break
    found: tuple[Address, ...] = header.addresses
    if len(found) != 1 or header.defects or not found[0].domain or not found[0].addr_spec.isascii():
        raise ValueError("not one mailbox")
    return found[0]
