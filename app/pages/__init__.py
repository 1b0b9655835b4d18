"""Pages for people: their templates, the brand, and how they are rendered."""

from app.pages.pages import Pages, Problem, Shown
from app.pages.views import View

__all__ = ["Pages", "Problem", "Shown", "View"]
