"""How far one refusal of X reaches: a kind, an account, or everything.

SourceError
├── KindError       this kind of this account: a scope, a plan, a bad request, too long a wait
│   ├── LateError   waited or tried for as long as is allowed: the next run goes on from there
│   └── NamesError  X does not know a parameter that was sent; holds which
├── ActRefusedError  one act, as hiding a reply: X will not do it at the next try either
├── AccountError    this account: its token, its state at X, its money for the month
└── EverythingError all accounts: X wants money, or its cap is reached
"""

from archiver.errors import SourceError


class KindError(SourceError):
    pass


class LateError(KindError):
    pass


class NamesError(KindError):
    """`names`: the parameters refused; `values`: single values of a parameter, as `post.fields=article`."""

    def __init__(
        self, message: str, hint: str | None, names: tuple[str, ...] = (), values: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint)
        self.names = names
        self.values = values


class ActRefusedError(SourceError):
    pass


class AccountError(SourceError):
    pass


class CeilingError(AccountError):
    """The money that the settings allow an account for the month is spent."""


class EverythingError(SourceError):
    pass
