"""email-oauth2-proxy with its icon, as its user starts it; says so once it is at rest."""

from __future__ import annotations

import emailproxy

if __name__ == "__main__":
    print("ready", flush=True)
    emailproxy.App()
