"""Keys: those that sign tokens, and those that passwords are sealed with on their way."""
