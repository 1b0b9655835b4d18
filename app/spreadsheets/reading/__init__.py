"""Reads spreadsheets as streams of rows, in a process of its own, within limits.

Nothing is imported here: each reading process would wait for what its owner alone needs.
"""
