"""Where a slot answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Address:
        """Of `host:port` or `[host]:port`. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        if not host or not colon or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"not host:port: {text}")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, path: str) -> str:
        """Where that path is, over HTTP."""
        return f"http://{self}{path if path.startswith('/') else '/' + path}"
