"""The one base of what the formats raise."""


class FormatError(Exception):
    """Bytes that do not follow the format they claim, or fail their authentication."""
