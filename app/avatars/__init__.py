"""Avatars: pictures that people upload, made into squares by a process of its own, and served by a URL.

Nothing is imported here: the drawing process would wait for what its owner alone needs.
"""
