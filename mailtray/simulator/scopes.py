"""The permissions the simulator knows, in the service's names and in plain words.

Source: learn.microsoft.com/graph/permissions-reference.
"""

from collections.abc import Iterable

GRAPH_ROOTS = (
    "https://graph.microsoft.com/",
    "https://graph.microsoft.us/",
    "https://dod-graph.microsoft.us/",
    "https://microsoftgraph.chinacloudapi.cn/",
)

OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})

IN_WORDS = {
    "openid": "Know who you are",
    "profile": "Know your name",
    "email": "Know your mail address",
    "offline_access": "Stay signed in until you sign out or the access is taken back",
    "User.Read": "Read your own profile",
    "Mail.ReadBasic": "See who wrote to you and the subject, but not the text of your mail",
    "Mail.Read": "Read your mail",
    "Mail.ReadWrite": "Read and change your mail: mark it read, move it, delete it",
    "Mail.ReadBasic.Shared": "See sender and subject in mailboxes that are shared with you",
    "Mail.Read.Shared": "Read mail in mailboxes that are shared with you",
    "Mail.ReadWrite.Shared": "Read and change mail in mailboxes that are shared with you",
    "Mail.Send": "Send mail in your name",
    "MailboxSettings.Read": "Read your mailbox settings",
}

_CANONICAL = {name.lower(): name for name in IN_WORDS}
_READ = ("Mail.ReadBasic", "Mail.Read", "Mail.ReadWrite")


class UnknownScopeError(ValueError):
    """A scope names no permission of Graph."""


def short_name(scope: str) -> str:
    """Reduce a scope to the permission's own name, without Graph's address.

    Raises:
        UnknownScopeError: There is no such permission.
    """
    bare = scope
    for root in GRAPH_ROOTS:
        bare = bare.removeprefix(root)
    if bare == ".default":
        return bare
    try:
        return _CANONICAL[bare.lower()]
    except KeyError:
        raise UnknownScopeError(scope) from None


def short_names(scope: str) -> frozenset[str]:
    """Reduce a space-separated list, as in a request's ``scope``, to bare names.

    Raises:
        UnknownScopeError: One of them names no permission.
    """
    return frozenset(short_name(each) for each in scope.split())


def echo(asked: str, granted: Iterable[str]) -> str:
    """List granted scopes as the token answer does: each in the form it was asked in.

    ``offline_access`` is left out; its proof is the refresh token.
    """
    given = set(granted) - {"offline_access"}
    listed = [each for each in asked.split() if short_name(each) in given]
    if any(each.endswith(".default") for each in asked.split()):
        listed += sorted(given - OPENID_SCOPES)
    openid = [each for each in ("openid", "profile", "email") if each in given]
    return " ".join(dict.fromkeys([*openid, *listed]))


def may_read(scopes: frozenset[str], *, shared: bool) -> bool:
    """Say whether messages and folders may be read at all."""
    return any(_with_suffix(name, shared=shared) in scopes for name in _READ)


def may_preview(scopes: frozenset[str], *, shared: bool) -> bool:
    """Say whether the text of messages may be read, beyond sender and subject."""
    return any(_with_suffix(name, shared=shared) in scopes for name in _READ[1:])


def may_write(scopes: frozenset[str], *, shared: bool) -> bool:
    """Say whether messages may be changed."""
    return _with_suffix("Mail.ReadWrite", shared=shared) in scopes


def _with_suffix(name: str, *, shared: bool) -> str:
    return f"{name}.Shared" if shared else name
