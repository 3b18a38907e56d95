"""An S3 server on loopback, moto's, that can be made to answer 503 and to forbid deleting."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Self

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_SIGNED = "AWS4-HMAC-SHA256 Credential=key/20200101/us-east-1/s3/aws4_request"
_BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


class _Quiet(WSGIRequestHandler):
    """Logs no requests: there are hundreds."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


@dataclass(slots=True)
class Objects:
    """The server. `address` is a repository's location without its folder."""

    port: int = 0
    busy: bool = False
    """every request is answered 503"""
    adds_only: bool = False
    """only locks can be deleted, as by a policy for a writer that must not delete"""
    denied: list[str] = field(default_factory=list)
    """what should have been deleted all the same"""

    secrets: Mapping[str, str] = field(
        default_factory=lambda: {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    )

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def put(self, key: str, content: bytes = b"") -> None:
        """Put an object into the bucket, or make the bucket, for which the key is empty."""
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request("PUT", f"/backups/{key}", content, headers={"Authorization": _SIGNED})
        assert connection.getresponse().status == 200
        connection.close()

    def location(self, folder: str) -> str:
        """A repository in that folder of the bucket."""
        return f"s3:{self.url}/backups/{folder}"

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """A server with an empty bucket, for as long as the block runs."""
        moto_api_backend.reset()
        objects = cls()
        inner = DomainDispatcherApplication(create_backend_app)

        def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            refusal = objects.refusal(environ)
            if refusal is None:
                served: Iterable[bytes] = inner(environ, start)
                return served
            status, body = refusal
            start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]

        server = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=_Quiet)
        objects.port = server.port
        thread = threading.Thread(target=server.serve_forever, name="moto")
        thread.start()
        try:
            objects.put("")
            yield objects
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            moto_api_backend.reset()  # closes the files that large objects are in

    def refusal(self, environ: WSGIEnvironment) -> tuple[str, bytes] | None:
        """Status and body when a request is refused."""
        if self.busy:
            return "503 Slow Down", _BUSY
        path = str(environ["PATH_INFO"])
        if self.adds_only and environ["REQUEST_METHOD"] == "DELETE" and "/locks/" not in path:
            self.denied.append(path)
            return "403 Forbidden", _DENIED
        return None
