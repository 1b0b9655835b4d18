"""The clients: each in a process of its own, in the environment of clients/."""
