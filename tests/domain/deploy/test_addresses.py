"""Where a slot answers."""

from __future__ import annotations

import pytest

from bot.domain.deploy.addresses import Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9001", Address("127.0.0.1", 9001)),
        ("shop-a.internal:80", Address("shop-a.internal", 80)),
        ("[::1]:9001", Address("::1", 9001)),
    ],
)
def test_read_and_written_it_is_the_same(text: str, address: Address) -> None:
    assert Address.of(text) == address
    assert str(address) == text
    assert address.url("/health") == address.url("health") == f"http://{text}/health"


@pytest.mark.parametrize(
    "text", ["", "9001", ":9001", "shop", "shop:", "shop:x", "shop:0", "shop:65536", "shop:١"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not host:port"):
        Address.of(text)
