"""Answers that go on or are repeated: a page after another, and a search that was put on record."""
