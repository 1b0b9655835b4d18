"""Spreadsheets that others wrote, as rows: read by a process of its own, within limits, as a stream.

Nothing is imported here: each reading process would wait for what its owner alone needs.
"""
