"""Authentication: sessions, passwords, tokens, invitations, and the throttles of wrong tries."""
