"""The least there could be: one connection, one delta request a poll, and no library but TLS."""

from __future__ import annotations

import gzip
import json
import os
import socket
import ssl
from urllib.parse import urlsplit

from bench.peers.driven import drive

HOST = "graph.microsoft.com"
FIRST = f"https://{HOST}/v1.0/me/mailFolders/inbox/messages/delta?$select=subject,from,isRead"


class Connection:
    """One connection, kept; answers are read to their length."""

    def __init__(self, token_cache: str) -> None:
        (token,) = json.loads(token_cache)["AccessToken"].values()
        self._token = token["secret"]
        proxy = urlsplit(os.environ["HTTPS_PROXY"])
        plain = socket.create_connection((proxy.hostname or "", proxy.port or 0))
        plain.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
        while not plain.recv(4096).endswith(b"\r\n\r\n"):
            pass
        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        self._socket = context.wrap_socket(plain, server_hostname=HOST)
        self._link = FIRST
        while "$skiptoken" in self._link or self._link == FIRST:
            self.poll()

    def poll(self) -> object:
        """Ask for what changed."""
        target = self._link.removeprefix(f"https://{HOST}")
        self._socket.sendall(
            f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\nAccept-Encoding: gzip\r\n"
            f"Authorization: Bearer {self._token}\r\nPrefer: odata.maxpagesize=200\r\n\r\n".encode()
        )
        body = json.loads(self._read())
        self._link = body.get("@odata.nextLink") or body["@odata.deltaLink"]
        return body["value"]

    def _read(self) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._socket.recv(65_536)
        head, _, body = data.partition(b"\r\n\r\n")
        names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(names[b"content-length"]):
            body += self._socket.recv(65_536)
        return gzip.decompress(body) if names.get(b"content-encoding") == b"gzip" else body


if __name__ == "__main__":
    drive(lambda cache: Connection(cache).poll)
