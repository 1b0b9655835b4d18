"""A mail server of Debian takes every kind of mail from a Roster, and its mailbox is read."""
