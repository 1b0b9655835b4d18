"""The ratios Roster promises, measured against a tutorial-style server and a raw floor."""
