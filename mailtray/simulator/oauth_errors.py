"""Refusals of the token service, in the shape its clients parse.

Source: learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime


@dataclass
class OAuthError(Exception):
    """A refusal with its OAuth error, its AADSTS number and its sentence."""

    error: str
    code: int
    description: str
    suberror: str | None = None
    claims: str | None = None
    status: int = 400

    def body(self, now: datetime, correlation_id: str) -> dict[str, object]:
        """Build the JSON body of a token endpoint's refusal.

        Args:
            now: Time of the answer.
            correlation_id: The client's own ``client-request-id``, or a new one.
        """
        trace_id = str(uuid.uuid4())
        stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
        body: dict[str, object] = {
            "error": self.error,
            "error_description": (
                f"AADSTS{self.code}: {self.description}\r\nTrace ID: {trace_id}\r\n"
                f"Correlation ID: {correlation_id}\r\nTimestamp: {stamp}"
            ),
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        if self.suberror is not None:
            body["suberror"] = self.suberror
        if self.claims is not None:
            body["claims"] = self.claims
        return body


def missing_parameter(name: str) -> OAuthError:
    """A form lacks a field."""
    return OAuthError("invalid_request", 900144, f"The request must contain the field '{name}'.")


def unknown_client(client_id: str) -> OAuthError:
    """The client id is registered nowhere."""
    text = f"No application with the identifier '{client_id}' was found in the directory."
    return OAuthError("unauthorized_client", 700016, text)


def unknown_tenant(tenant: str) -> OAuthError:
    """The authority names an organisation that does not exist."""
    text = f"Tenant '{tenant}' was not found. Check the name and the cloud it is in."
    return OAuthError("invalid_tenant", 90002, text)


def unknown_scope(scope: str) -> OAuthError:
    """A scope is no permission of Graph."""
    return OAuthError("invalid_scope", 70011, f"The scope '{scope}' is not valid.")


def consent_missing(client_id: str) -> OAuthError:
    """The person has not accepted all scopes asked for."""
    text = f"The account has not consented to the use of application '{client_id}'."
    return OAuthError("invalid_grant", 65001, text, suberror="consent_required")
