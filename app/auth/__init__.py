"""Who somebody is and what they may do: accounts, passwords, tokens, sessions, keys, clients, invitations."""
