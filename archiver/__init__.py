"""Takes a public body's social-media accounts into encrypted, searchable archives that open without it."""

__version__ = "0.7.0"
