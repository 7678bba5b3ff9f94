"""A GitHub App's private key, made once for all tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(
    form: PrivateFormat = PrivateFormat.TraditionalOpenSSL,
    encryption: KeySerializationEncryption | None = None,
    *,
    key: Any = None,
) -> str:
    """A key as PEM text: that one, or another."""
    made = key or rsa_key()
    text: str = made.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()
    return text
