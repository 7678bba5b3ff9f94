"""A GitHub App's private key, as files, variables and secret stores hold it."""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from typing import Final

from ghjobs_async.errors import ConfigurationError

_PEM: Final = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
_LINE: Final = 64
_RSA: Final = "it is a key of another kind"
# What people give instead of the key; the first pattern that is found names the mistake.
_MISTAKES: Final = (
    (r"\A\s*\Z", "it is empty"),
    (r"ENCRYPTED", "it is encrypted; decrypt it with openssl rsa -in FILE -out NEWFILE"),
    (r"BEGIN [A-Z ]*(?:PUBLIC KEY|CERTIFICATE)|\Assh-", "it is a public key or a certificate"),
    (r"BEGIN (?:EC|DSA|OPENSSH) ", _RSA),
    (r"-----BEGIN(?![\s\S]*-----END)", "its end is missing"),
    (r"-----BEGIN", "it is damaged"),
    (r"\A(?:gh[a-z]_|github_pat_)", "it is a token"),
    (r"\A[^\n]{1,300}\.(?:pem|key|txt)\Z|\A[~./]", "it is the name of a file; pass its content"),
    (r"\A[A-Za-z0-9+/=\s]{200,}\Z", "its BEGIN and END lines are missing"),
)


def read_key(given: object) -> bytes:
    """
    Return a private key as PEM text.

    Variables and secret stores change it, which is undone here: its line ends become a backslash and
    an n, or blanks; it is indented, in quotes, or in base64 as a whole.

    Raises:
        ConfigurationError: It is not an RSA private key, or the extra is not installed. The text
            names the likely mistake, and shows nothing of the key.
    """
    try:
        import jwt  # noqa: F401, PLC0415 -- the extra `app`
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            load_pem_private_key,
        )
    except ImportError:
        raise ConfigurationError(
            "AppAuth needs the extra 'app': pip install 'ghjobs-async[app]'"
        ) from None
    text = _plain(given)
    mistake = next((words for pattern, words in _MISTAKES if re.search(pattern, text)), "")
    if found := _PEM.search(text):
        kind, body = found[1], "".join(found[2].split())
        lines = [body[at : at + _LINE] for at in range(0, len(body), _LINE)]
        pem = "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""]).encode()
        # The reader's own error would name bytes of the key.
        with suppress(ValueError, TypeError, UnsupportedAlgorithm):
            if isinstance(load_pem_private_key(pem, None), RSAPrivateKey):
                return pem
            mistake = _RSA
    raise ConfigurationError(
        "private_key is not an RSA private key in PEM text (-----BEGIN RSA PRIVATE KEY-----)"
        f"{mistake and ': '}{mistake}"
    )


def _plain(given: object) -> str:
    """Undo the changes that variables and secret stores make to a text of several lines."""
    if not isinstance(given, (str, bytes)):
        raise ConfigurationError(
            f"private_key is the content of a PEM file, not of type {type(given).__name__}"
        )
    text = _lines(given if isinstance(given, str) else given.decode("utf-8", "replace"))
    if "-----" not in text:
        with suppress(ValueError):  # not in base64
            whole = base64.b64decode("".join(text.split()), validate=True).decode()
            return _lines(whole) if "-----" in whole else text
    return text


def _lines(text: str) -> str:
    return text.strip("\ufeff \t\r\n\"'").replace("\\r", "").replace("\\n", "\n")
