"""Authentication: accounts, passwords, tokens, sessions, keys, clients, invitations, throttles."""
