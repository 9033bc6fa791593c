"""Public standards and nothing of ours: age, Zstandard's seekable format, OpenSSH signatures.

Nothing here imports from the rest of the package. Each format raises its own subclass of
`FormatError`; the callers translate it once, where it enters, and name the file.
"""

from archiver.formats.errors import FormatError

__all__ = ["FormatError"]
