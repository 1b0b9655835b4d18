"""Search: finds users by a few words, misspelt or half typed, in any script, through indexes only."""

from app.search.dictionary import Dictionary
from app.search.finder import Finder
from app.search.highlights import highlight
from app.search.matching import Pattern, Rank
from app.search.postings import VERSION, index
from app.search.query_parser import Query, parse
from app.search.ranking import Matches
from app.search.upkeep import SearchIndex

__all__ = [
    "VERSION",
    "Dictionary",
    "Finder",
    "Matches",
    "Pattern",
    "Query",
    "Rank",
    "SearchIndex",
    "highlight",
    "index",
    "parse",
]
