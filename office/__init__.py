"""Office programs open and save an export of ours, which should come back unchanged."""
