"""Keys that open a repository at once. restic makes them so that each opening costs half a second of a core,
against people who try passwords; tests open repositories by the hundred.

The format is restic's (its design document, Keys, Encryption and MAC): a master key, encrypted with AES-256
in counter mode and authenticated with Poly1305-AES by keys that scrypt makes of the password.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

_N, _R, _P = 2, 1, 1


def cheapened(key: bytes, password: str) -> tuple[str, bytes]:
    """The same key file with the cheapest scrypt that there is: its name and its content."""
    told = json.loads(key)
    sealed = base64.b64decode(told["data"])
    master = _crypt(_keys(password, told), sealed[:16], sealed[16:-16])
    salt, nonce = secrets.token_bytes(64), secrets.token_bytes(16)
    told |= {"N": _N, "r": _R, "p": _P, "salt": base64.b64encode(salt).decode()}
    keys = _keys(password, told)
    cipher = _crypt(keys, nonce, master)
    told["data"] = base64.b64encode(nonce + cipher + _mac(keys, nonce, cipher)).decode()
    content = json.dumps(told).encode()
    return hashlib.sha256(content).hexdigest(), content


def _keys(password: str, told: Mapping[str, str | int]) -> bytes:
    """64 bytes: 32 to encrypt with, 16 and 16 to authenticate with."""
    return hashlib.scrypt(
        password.encode(),
        salt=base64.b64decode(str(told["salt"])),
        n=int(told["N"]),
        r=int(told["r"]),
        p=int(told["p"]),
        maxmem=1 << 30,
        dklen=64,
    )


def _crypt(keys: bytes, nonce: bytes, text: bytes) -> bytes:
    crypting = Cipher(algorithms.AES(keys[:32]), modes.CTR(nonce)).encryptor()
    return crypting.update(text) + crypting.finalize()


def _mac(keys: bytes, nonce: bytes, cipher: bytes) -> bytes:
    block = Cipher(algorithms.AES(keys[32:48]), modes.ECB()).encryptor()  # noqa: S305 - Poly1305-AES is so
    return Poly1305.generate_tag(keys[48:64] + block.update(nonce) + block.finalize(), cipher)
