"""Imports: a file becomes a plan, row by row, which is then applied."""
