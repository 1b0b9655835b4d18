"""Saved views of the list of users: a query with columns, for oneself or shared with all who read users."""

from app.views.views import Views, ViewUser

__all__ = ["ViewUser", "Views"]
