"""What an error of the HTTP client means: the problem for a reading."""

from __future__ import annotations

import errno
import socket

import aiohttp

from probes.base import Problem, ProblemKind

EXPECTED = (aiohttp.ClientError, OSError, UnicodeError)
"""All that a request raises for reasons outside this program: a time-out is an OSError, and a redirect to a
host whose name cannot be encoded a UnicodeError."""


def problem_of(error: BaseException, seconds: float) -> Problem:
    """Why there was no answer. The detail never holds the address: it may carry a password or a token.

    `seconds` is the time-out, named when it was reached.
    """
    if isinstance(error, TimeoutError):
        return Problem(ProblemKind.TIMEOUT, f"no whole answer within {seconds:g} s")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Problem(ProblemKind.TLS, _certificate(error.certificate_error))
    if isinstance(error, aiohttp.ClientSSLError):
        return Problem(ProblemKind.TLS, getattr(error.os_error, "reason", None) or "the TLS handshake failed")
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror | UnicodeError):
        return Problem(ProblemKind.NAME_NOT_FOUND, "the name does not resolve")
    if isinstance(error, aiohttp.TooManyRedirects):
        return Problem(ProblemKind.BAD_STATUS, "too many redirects")
    if isinstance(error, aiohttp.InvalidURL):
        return Problem(ProblemKind.BAD_STATUS, "it redirects to an invalid address")
    if isinstance(error, aiohttp.ClientConnectorError):
        return _connection(error.os_error)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return Problem(ProblemKind.CONNECTION, "the server closed the connection without an answer")
    if isinstance(error, aiohttp.ClientPayloadError):
        return Problem(ProblemKind.CONNECTION, "the answer broke off")
    if isinstance(error, OSError):
        return _connection(error)
    return Problem(ProblemKind.CONNECTION, f"not an HTTP answer ({type(error).__name__})")


def _connection(error: OSError) -> Problem:
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return Problem(ProblemKind.REFUSED, "connection refused")
    # Several addresses tried give one error without a number, and a text that names them: not repeated here.
    text = error.strerror if error.errno and error.strerror else None
    if text is None and "refused" in str(error).lower():
        return Problem(ProblemKind.REFUSED, "connection refused")
    return Problem(ProblemKind.CONNECTION, text or "the connection failed")


def _certificate(error: Exception) -> str:
    return getattr(error, "verify_message", None) or "the certificate is not valid"
