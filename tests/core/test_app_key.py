"""A GitHub App's private key: what is read as one, and which mistakes are named."""

from __future__ import annotations

import base64
import re
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from app_keys import pem, rsa_key
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ghjobs_async import AppAuth, ConfigurationError
from ghjobs_async.transport.app_key import read_key

PKCS1 = serialization.PrivateFormat.TraditionalOpenSSL
PKCS8 = serialization.PrivateFormat.PKCS8
OPENSSH = serialization.PrivateFormat.OpenSSH
SECRET = serialization.BestAvailableEncryption(b"passphrase")


def public(encoding: Encoding, form: PublicFormat) -> str:
    """The public half of the key."""
    return rsa_key().public_key().public_bytes(encoding, form).decode()


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


READ: dict[str, Callable[[str], str | bytes]] = {
    "as it is": lambda text: text,
    "bytes": lambda text: text.encode(),
    "a byte order mark": lambda text: f"\ufeff{text}",
    "Windows": lambda text: text.replace("\n", "\r\n"),
    "backslash n": lambda text: text.replace("\n", "\\n"),
    "backslash r n": lambda text: text.replace("\n", "\\r\\n"),
    "quoted": lambda text: f'"{text.replace(chr(10), chr(92) + "n")}"',
    "blanks": lambda text: text.replace("\n", " "),
    "one line": lambda text: text.replace("\n", ""),
    "indented": lambda text: textwrap.indent(text, "    "),
    "with a name": lambda text: f"KEY={text}",
    "base64": packed,
    "base64 in lines": lambda text: "\n".join(textwrap.wrap(packed(text), 76)),
    "base64 of backslash n": lambda text: packed(text.replace("\n", "\\n")),
    "base64 in quotes, bytes": lambda text: f"'{packed(text)}'\n".encode(),
}


@pytest.mark.parametrize("form", [PKCS1, PKCS8], ids=["PKCS1", "PKCS8"])
@pytest.mark.parametrize("how", READ)
def test_a_key_is_read_as_variables_and_stores_hold_it(
    how: str, form: serialization.PrivateFormat
) -> None:
    """Line ends may have become a backslash and an n, or blanks; or all of it is in base64."""
    key = serialization.load_pem_private_key(read_key(READ[how](pem(form))), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.private_numbers() == rsa_key().private_numbers()


def elliptic(form: serialization.PrivateFormat) -> str:
    return pem(form, key=ec.generate_private_key(ec.SECP256R1()))


MISTAKES: list[tuple[str, Callable[[], object]]] = [
    ("it is empty", lambda: ""),
    ("it is empty", lambda: b" \n"),
    ("it is encrypted", lambda: pem(PKCS8, SECRET)),
    ("it is encrypted", lambda: pem(PKCS1, SECRET)),
    ("it is encrypted", lambda: packed(pem(PKCS8, SECRET))),
    ("a public key", lambda: public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
    ("a public key", lambda: public(Encoding.PEM, PublicFormat.PKCS1)),
    ("a public key", lambda: public(Encoding.OpenSSH, PublicFormat.OpenSSH)),
    ("another kind", lambda: elliptic(PKCS1)),
    ("another kind", lambda: elliptic(PKCS8)),
    ("another kind", lambda: pem(OPENSSH)),
    ("its end is missing", lambda: pem()[:-40]),
    ("its end is missing", lambda: pem().splitlines()[0]),
    ("it is damaged", lambda: pem().replace("M", "", 1)),
    ("it is damaged", lambda: pem()[:200] + "\\" + pem()[201:]),
    ("it is a token", lambda: "ghp_s3cretTokenThatNobodyMaySee"),
    ("the name of a file", lambda: "octo-app.2026-10-01.private-key.pem"),
    ("the name of a file", lambda: "/run/secrets/app_key"),
    ("BEGIN and END lines are missing", lambda: "".join(pem().splitlines()[1:-1])),
    ("BEGIN and END lines are missing", lambda: "\n".join(pem().splitlines()[1:-1])),
    ("PEM text", lambda: "no key"),
    ("PEM text", lambda: b"\xff"),
    ("PEM text", lambda: "\ud800"),
    ("of type NoneType", lambda: None),
    ("of type dict", lambda: {"key": pem()}),
]


@pytest.mark.parametrize(("words", "make"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_the_mistake_is_named_and_the_key_is_not_shown(
    words: str, make: Callable[[], object]
) -> None:
    """What is no key says what it looks like; no error, nor any behind it, holds a part of it."""
    given: Any = make()
    with pytest.raises(ConfigurationError, match=words) as caught:
        AppAuth(7, given, installation_id=5)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    said = f"{caught.value!r} {vars(caught.value)}"
    text = given.decode("latin-1") if isinstance(given, bytes) else str(given)
    body = re.sub(r"-----[A-Z ]+-----", "", text)
    assert not any(body[at : at + 12] in said for at in range(len(body) - 11))


@pytest.mark.parametrize("key", [pem(), packed(pem())], ids=["text", "base64"])
@pytest.mark.parametrize("where", ["app_id", "installation_id", "repository"])
def test_a_key_in_the_wrong_place_is_not_shown(where: str, key: str) -> None:
    """Swapped arguments are an error that does not repeat them."""
    given: dict[str, Any] = {"app_id": 7, "private_key": pem(), where: key}
    if where == "app_id":
        given["installation_id"] = 5
    with pytest.raises(ConfigurationError) as caught:
        AppAuth(**given)
    assert key[:50] not in str(caught.value)
    assert "MII" not in str(caught.value)
    assert "LS0" not in str(caught.value)


@pytest.mark.parametrize("module", ["jwt", "cryptography.hazmat.primitives.asymmetric.rsa"])
def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Without PyJWT, or PyJWT without its cryptography, an App says what to install."""
    key = pem()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=r"pip install 'ghjobs-async\[app\]'"):
        AppAuth(7, key, installation_id=5)


def test_an_app_hides_its_key() -> None:
    """Its repr names the App only."""
    assert repr(AppAuth(7, pem(), installation_id=5)) == "AppAuth(app_id='7', ...)"
