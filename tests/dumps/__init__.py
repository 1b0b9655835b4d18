"""Directories as earlier commits left them, and how they are made and restored."""
