"""`make clients`: OAuth clients that others wrote do their flows with a running Roster."""
