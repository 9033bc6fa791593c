"""The settings of moderation: `[moderation]`, its reasons and its house rules.

The reasons are those of UK police practice unless the settings name others. What each is called in the EU's
transparency database (DSA, schema 2 of 1 July 2025) is this project's own mapping.
"""

from dataclasses import dataclass

from archiver.settings.api import MEBIBYTE

DSA_CATEGORIES = (
    "ANIMAL_WELFARE", "CONSUMER_INFORMATION", "CYBER_VIOLENCE", "CYBER_VIOLENCE_AGAINST_WOMEN",
    "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS", "ILLEGAL_OR_HARMFUL_SPEECH",
    "INTELLECTUAL_PROPERTY_INFRINGEMENTS", "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    "NOT_SPECIFIED_NOTICE", "OTHER_VIOLATION_TC", "PROTECTION_OF_MINORS", "RISK_FOR_PUBLIC_SECURITY",
    "SCAMS_AND_FRAUD", "SELF_HARM", "UNSAFE_AND_PROHIBITED_PRODUCTS", "VIOLENCE",
)  # fmt: skip
"""Without STATEMENT_CATEGORY_ before them."""
DSA_KEYWORDS = (
    "HATE_SPEECH", "DISCRIMINATION", "DEFAMATION", "CYBER_HARASSMENT", "IMPERSONATION_ACCOUNT_HIJACKING",
    "MISINFORMATION_DISINFORMATION", "NUDITY", "OTHER",
)  # fmt: skip
"""Without KEYWORD_ before them."""


@dataclass(frozen=True)
class Reason:
    """Why an item is dealt with. `category` and `keyword` are the DSA's; a reason without a category is
    of the body's own posts, and in no statement of reasons."""

    code: str
    words: str
    category: str | None = None
    keyword: str | None = None


UK_REASONS: tuple[Reason, ...] = (
    Reason("abusive", "abuse of a person", "ILLEGAL_OR_HARMFUL_SPEECH", "CYBER_HARASSMENT"),
    Reason("discriminatory", "discrimination, hatred", "ILLEGAL_OR_HARMFUL_SPEECH", "DISCRIMINATION"),
    Reason("threatening", "a threat", "VIOLENCE"),
    Reason("prejudicial", "may prejudice proceedings (contempt of court)", "OTHER_VIOLATION_TC"),
    Reason(
        "identifies_person",
        "identifies a victim, witness or suspect",
        "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
    ),
    Reason("personal_information", "personal information", "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS"),
    Reason("defamatory", "defamation", "ILLEGAL_OR_HARMFUL_SPEECH", "DEFAMATION"),
    Reason("unlawful", "otherwise unlawful", "OTHER_VIOLATION_TC"),
    Reason("impersonation", "impersonation", "SCAMS_AND_FRAUD", "IMPERSONATION_ACCOUNT_HIJACKING"),
    Reason(
        "misinformation",
        "misinformation",
        "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
        "MISINFORMATION_DISINFORMATION",
    ),
    Reason("obscene", "obscenity", "OTHER_VIOLATION_TC", "NUDITY"),
    Reason("spam", "spam", "OTHER_VIOLATION_TC"),
    Reason("off_topic", "off topic", "OTHER_VIOLATION_TC"),
    Reason("copyright", "copyright", "INTELLECTUAL_PROPERTY_INFRINGEMENTS"),
    Reason("political", "political, before an election", "OTHER_VIOLATION_TC"),
    Reason("safeguarding", "safeguarding of a child or adult at risk", "PROTECTION_OF_MINORS"),
    Reason("own_marking", "own post: a protective marking stood in it"),
    Reason("own_embargo", "own post: it was under embargo"),
    Reason("own_personal_data", "own post: personal data stood in it"),
    Reason("own_error", "own post: a mistake"),
)


@dataclass(frozen=True)
class HouseRule:
    """A clause of the body's published house rules, as they stood in one version."""

    clause: str
    version: str | None = None
    words: str | None = None


@dataclass(frozen=True)
class ModerationSettings:
    """`[moderation]`. Where there are `rules`, only their clauses can be named."""

    reasons: tuple[Reason, ...] = UK_REASONS
    rules: tuple[HouseRule, ...] = ()
    thread_posts: int = 20
    """So many posts of the thread around an item are captured at most; 0 for none but those it answers."""
    screenshot_bytes: int = 20 * MEBIBYTE

    @property
    def reason_codes(self) -> tuple[str, ...]:
        return tuple(one.code for one in self.reasons)
