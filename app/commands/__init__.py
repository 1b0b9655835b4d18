"""The commands beside `serve`: one file a noun."""
