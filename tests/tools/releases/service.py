"""A tiny real service: the release that the tests start. It knows nothing but the standard library.

How it behaves is in the file RELEASES/GUARDIAN_REVISION/behaviour.json (both are variables), looked at when
it starts: `bad` is crash (ends at once), crash_once (the first time only), deaf (doesn't end when it is asked
to), flood (writes `flood` bytes before it answers) or workers (has two in sessions of their own); `hello` is
what /health says.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(os.environ["RELEASES"], os.environ["GUARDIAN_REVISION"])
BEHAVIOUR = json.loads((FOLDER / "behaviour.json").read_text())


class Handler(BaseHTTPRequestHandler):
    """Answers in a few ways, by path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, body = 200, b""
        if self.path == "/health":
            body = str(BEHAVIOUR.get("hello", "ok")).encode()
        elif self.path == "/who":
            who = {
                name: os.environ.get(f"GUARDIAN_{name.upper()}", "")
                for name in ("revision", "slot", "marker")
            }
            body = json.dumps({**who, "pid": os.getpid(), "arguments": sys.argv[1:], "directory": os.getcwd(),
                               "environment": dict(os.environ)}).encode()  # fmt: skip
        elif self.path == "/work":
            until = time.process_time() + 0.3
            while time.process_time() < until:
                pass
        elif self.path == "/fail":
            status, body = 500, b"no"
        elif self.path == "/end":
            os._exit(3)
        else:
            status = 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def main(host: str, port: int) -> None:
    """Serve until asked to end."""
    bad = BEHAVIOUR.get("bad", "")
    if bad == "crash" or (bad == "crash_once" and not (FOLDER / "crashed").exists()):
        (FOLDER / "crashed").touch()
        sys.stdout.write("crashing\n")
        sys.exit(7)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if bad == "deaf" else lambda number, frame: os._exit(0))
    if bad == "flood":
        block = b"x" * 65535 + b"\n"
        for _ in range(int(BEHAVIOUR["flood"]) // len(block)):
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    if bad == "workers":
        for _ in range(2):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    server = ThreadingHTTPServer((host, port), Handler)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(*(sys.argv[1], int(sys.argv[2])) if sys.argv[2:] else (os.environ["HOST"], int(os.environ["PORT"])))
