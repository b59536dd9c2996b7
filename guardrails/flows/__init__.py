"""Guided flows: data that keeps its place across turns, and one pure function that advances it."""
