"""Microsoft's clouds: where each of them lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where one of Microsoft's clouds lives; tokens and registrations do not cross over.

    Attributes:
        login_root: Root of the authority, ``https://host``.
        graph_root: Root of Graph, ``https://host``.
        mailbox: Web page of a work mailbox.
        webmail_hosts: Hosts on which a message's page may be.
        scopes_need_root: True where a bare scope name would mean another cloud's Graph.

    Source: learn.microsoft.com/graph/deployments; the webmail hosts as those clouds use them.
    """

    login_root: str
    graph_root: str
    mailbox: str
    webmail_hosts: frozenset[str]
    scopes_need_root: bool = True


CLOUDS: Mapping[str, Endpoints] = {
    "global": Endpoints(
        login_root="https://login.microsoftonline.com",
        graph_root="https://graph.microsoft.com",
        mailbox="https://outlook.office.com/mail/",
        webmail_hosts=frozenset(
            {"outlook.office.com", "outlook.office365.com", "outlook.live.com"},
        ),
        scopes_need_root=False,
    ),
    "usgov": Endpoints(
        login_root="https://login.microsoftonline.us",
        graph_root="https://graph.microsoft.us",
        mailbox="https://outlook.office365.us/mail/",
        webmail_hosts=frozenset({"outlook.office365.us"}),
    ),
    "dod": Endpoints(
        login_root="https://login.microsoftonline.us",
        graph_root="https://dod-graph.microsoft.us",
        mailbox="https://webmail.apps.mil/mail/",
        webmail_hosts=frozenset({"webmail.apps.mil"}),
    ),
    "china": Endpoints(
        login_root="https://login.partner.microsoftonline.cn",
        graph_root="https://microsoftgraph.chinacloudapi.cn",
        mailbox="https://partner.outlook.cn/mail/",
        webmail_hosts=frozenset({"partner.outlook.cn"}),
    ),
}
"""The clouds by the name that the setting ``cloud`` takes."""
