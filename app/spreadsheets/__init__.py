"""Spreadsheets of users, written and read, without MongoDB and HTTP."""
