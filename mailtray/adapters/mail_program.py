"""Opens what the desktop's mail program is for: ``mailto:`` and ``mid:`` addresses.

Source: RFC 6068 (mailto), RFC 2392 (mid); xdg-utils, ``xdg-mime`` and ``xdg-open``.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys

LOG = logging.getLogger(__name__)

SCHEMES = frozenset({"mailto", "mid"})
TIMEOUT_S = 5.0


def is_for_mail_program(url: str) -> bool:
    """Say whether an address is one that a mail program opens."""
    return url.partition(":")[0] in SCHEMES and url.isprintable() and " " not in url


def open_in_mail_program(url: str) -> bool:
    """Open an address in the desktop's mail program; False where none is known to take it.

    Args:
        url: One that :func:`is_for_mail_program`.
    """
    try:
        if sys.platform == "win32":
            import os

            os.startfile(url)  # noqa: S606 - the registered program, by the system
        elif sys.platform == "darwin":
            _run("open", url)
        elif not _has_handler(url.partition(":")[0]):
            return False
        else:
            _run("xdg-open", url)
    except (OSError, subprocess.SubprocessError) as exc:
        LOG.info("No mail program: %s", type(exc).__name__)
        return False
    return True


def _has_handler(scheme: str) -> bool:
    # xdg-open would hand what nobody takes to a browser, which cannot do anything with it.
    return bool(_run("xdg-mime", "query", "default", f"x-scheme-handler/{scheme}"))


def _run(program: str, *words: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise FileNotFoundError(program)
    done = subprocess.run(  # noqa: S603 - a list of words, no shell
        [path, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return done.stdout.strip()
