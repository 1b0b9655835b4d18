"""Search: the people whom a few words mean, misspelt or half typed, in any script, through indexes only."""

from app.search.finding import Finder, Found
from app.search.highlights import highlight
from app.search.matching import Needle, Rank
from app.search.queries import Query, parse
from app.search.terms import Terms
from app.search.tokens import VERSION, index

__all__ = ["VERSION", "Finder", "Found", "Needle", "Query", "Rank", "Terms", "highlight", "index", "parse"]
