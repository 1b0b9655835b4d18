"""Search: words of users, the tokens they are found by, and what is typed to find them."""
