"""Listings of users: filters, orders, search, pages, totals; one filter and order for pages and exports."""

from app.listing.listing import Listing, ListingPage
from app.listing.queries import Query, build

__all__ = ["Listing", "ListingPage", "Query", "build"]
