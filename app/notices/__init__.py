"""Notices: mails that tell users what happened to their account, or what became of work they asked for."""

from app.notices.notices import Notices

__all__ = ["Notices"]
