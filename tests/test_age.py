"""Files of `age` are read in memory alone, and whatever was done to them is noticed.

The first vector was made by another implementation (rage 0.11), which also opened what `encrypted` below makes.
"""

from __future__ import annotations

import base64
import hmac
import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from masquerade import bech32
from masquerade.cli import run
from masquerade.errors import FileError
from masquerade.files import read_table, write_table
from masquerade.sealing import is_sealed, unseal
from masquerade.secret import Secret
from masquerade.table_stream import TableStream

IDENTITY = "AGE-SECRET-KEY-1EZGHF8ZD6Q24HK2KSZMJNEV6ERLCW2D8JXUZFZA9PCC89CFAKY3Q2CM52R"
FOREIGN = base64.b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBaS1loZGEvUkN4Y3REVGplOGx0RXM0Snc5eTZ5a3o4QllMVStReDBSUDJRClpSay9velR6cFUzaUhj"
    "Z1JzSFZMK25XSms4VURBcmI5MmlPNHFlWitUd2MKLT4gMy1ncmVhc2UgQSB4TXQyPE8gJkddXwo0ZGF3T0xGRllFV3V0L09FQ1dVT3BjQkw0K1l1U1hkNXdw"
    "YUV2Y0lKM2dSZVJON0wwOVRVZHlTV1ZqVnhEQUtYCnRjUDVzV1ZtNlkwQVVDVnFicklqc01CUHFJT3NWQQotLS0gNllNQnFGK3hjcXNham1OMEZ4dXQ0NWl2"
    "T0kzbEFqdFgydGdQQlNjK0piawqxt4La77T1atbHsW0w1ZVVgPyjFElJxDWa06s0nK34TNAUPAPhGME7TIoKGiuYT+wq2+LIvQ=="
)
PASSWORD = "correct horse battery"
CLOSED = "wrong key or damaged file|other recipients than this identity"


def b64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def hkdf(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, purpose).derive(key)


def encrypted(content: bytes, *, log_n: int | None = None, before: bytes = b"", chunk: int = 1 << 16) -> bytes:
    """As age writes it: to the identity above, or with the password where `log_n` is given."""
    key, salt = bytes(range(16)), bytes(range(16, 32))
    if log_n is None:
        private, ephemeral = (
            X25519PrivateKey.from_private_bytes(identity()),
            X25519PrivateKey.from_private_bytes(salt * 2),
        )
        public, share = private.public_key().public_bytes_raw(), ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
        wrapping = hkdf(shared, share + public, b"age-encryption.org/v1/X25519")
        stanza = b"-> X25519 " + b64(share)
    else:
        wrapping = Scrypt(b"age-encryption.org/v1/scrypt" + salt, 32, n=1 << log_n, r=8, p=1).derive(PASSWORD.encode())
        stanza = b"-> scrypt " + b64(salt) + b" " + str(log_n).encode()
    wrapped = ChaCha20Poly1305(wrapping).encrypt(bytes(12), key, None)
    header = b"age-encryption.org/v1\n" + before + stanza + b"\n" + b64(wrapped) + b"\n---"
    mac = hmac.digest(hkdf(key, b"", b"header"), header, "sha256")
    nonce = bytes(range(32, 48))
    cipher = ChaCha20Poly1305(hkdf(key, nonce, b"payload"))
    pieces = [content[i : i + chunk] for i in range(0, len(content), chunk)] or [b""]
    body = [
        cipher.encrypt(number.to_bytes(11, "big") + bytes([number == len(pieces) - 1]), piece, None)
        for number, piece in enumerate(pieces)
    ]
    return header + b" " + b64(mac) + b"\n" + nonce + b"".join(body)


def identity() -> bytes:
    found = bech32.decode(IDENTITY, "age-secret-key-")
    assert found is not None
    return found


@pytest.fixture
def key(tmp_path: Path) -> Secret:
    (tmp_path / "id.txt").write_text(f"# created: once\n# public key: age1s7cv\n\n{IDENTITY}\n")
    return Secret.from_key_file(tmp_path / "id.txt")


@pytest.fixture
def password(tmp_path: Path) -> Secret:
    (tmp_path / "p.txt").write_text(PASSWORD + "\n")
    return Secret.from_password_file(tmp_path / "p.txt")


def opened(data: bytes, secret: Secret) -> bytes:
    target = io.BytesIO()
    unseal(data, target, secret, name="people.csv.age")
    return target.getvalue()


def test_what_another_implementation_made_is_read_as_a_table(key: Secret, tmp_path: Path) -> None:
    path = tmp_path / "people.csv.age"
    path.write_bytes(FOREIGN)
    assert is_sealed(path)
    assert read_table(path, secret=key).rows() == [("ana", "3"), ("bob", "4")]
    assert TableStream(path, secret=key).names == ["name", "age"]
    with pytest.raises(FileError, match="is sealed"):
        read_table(path)
    assert list(tmp_path.glob("*.csv")) == []  # nothing plain is written


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 150_000])
def test_contents_of_every_length_by_identity_and_by_password(size: int, key: Secret, password: Secret) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    assert opened(encrypted(content[:size]), key) == content[:size]
    assert opened(encrypted(content[:size], log_n=2), password) == content[:size]


def test_stanzas_for_others_are_passed_over(key: Secret) -> None:
    other = b"-> X25519 " + b64(bytes(range(9, 41))) + b"\n" + b64(bytes(32)) + b"\n"
    for before in (other, b"-> grease any thing\n" + b"A" * 64 + b"\n\n", other * 3):
        assert opened(encrypted(b"x", before=before), key) == b"x"


def test_the_wrong_secret_is_named(key: Secret, password: Secret, tmp_path: Path) -> None:
    (tmp_path / "other.key").write_bytes(bytes(range(32)))
    (tmp_path / "q.txt").write_text("another passphrase")
    for data, secret, words in (
        (FOREIGN, password, "give the file of the identity"),
        (FOREIGN, Secret.from_key_file(tmp_path / "other.key"), "give the file of the identity"),
        (encrypted(b"x", log_n=2), key, "encrypted with a passphrase, got a key; give --password-file F"),
        (encrypted(b"x", log_n=2), Secret.from_password_file(tmp_path / "q.txt"), CLOSED),
        (encrypted(b"x", log_n=2).replace(b" 2\n", b" 30\n"), password, r"asks for 2\^30 rounds"),
        (FOREIGN.replace(b"/v1", b"/v2", 1), key, "another version than v1"),
    ):
        with pytest.raises(FileError, match=words):
            opened(data, secret)


def test_whatever_is_changed_or_cut_is_noticed(key: Secret) -> None:
    whole = encrypted(b"n,a\n" + b"x" * 70_000)
    places = [*range(260), 300, 65_800, len(whole) - 1]
    for place in places:
        broken = bytearray(whole)
        broken[place] ^= 0x04
        with pytest.raises(FileError, match=r"^people\.csv\.age: "):
            opened(bytes(broken), key)
    for length in [*range(19, 250, 3), len(whole) - 70_016 + 65_552, len(whole) - 1]:
        with pytest.raises(FileError):
            opened(whole[:length], key)
    with pytest.raises(FileError, match=CLOSED):
        opened(whole + b"x", key)
    with pytest.raises(FileError, match=CLOSED):  # chunks of another length, and an empty one at the end
        opened(encrypted(b"x" * 70_000, chunk=50_000), key)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"---\n",
        b"--- " + b"A" * 43 + b"\n",
        b"-> X25519\n\n",
        b"-> X25519 AAAA\n\n--- " + b"A" * 43 + b"\n",
        b"-> scrypt AAAA 5\n\n-> scrypt AAAA 5\n\n--- " + b"A" * 43 + b"\n",
        b"-> " + b"A" * 100_000,
        (b"-> X\n" + (b"A" * 64 + b"\n") * 2_000),
        b"-> \xff\n\n",
    ],
)
def test_malformed_headers_are_refused(header: bytes, key: Secret, password: Secret) -> None:
    for secret in (key, password):
        with pytest.raises(FileError, match=r"^people\.csv\.age: "):
            opened(b"age-encryption.org/v1\n" + header, secret)


def test_points_that_give_the_key_away_are_refused(key: Secret) -> None:
    weak = b"-> X25519 " + b64(bytes(32)) + b"\n" + b64(bytes(32)) + b"\n"
    with pytest.raises(FileError, match=CLOSED):
        opened(b"age-encryption.org/v1\n" + weak + b"--- " + b"A" * 43 + b"\n" + bytes(32), key)


@pytest.mark.parametrize(
    "text",
    [
        IDENTITY[:-1] + "Q",
        IDENTITY + "\n" + IDENTITY,
        IDENTITY[:40],
        "x " + IDENTITY,
        IDENTITY[:20].lower() + IDENTITY[20:],
    ],
)
def test_identities_with_a_slip_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "id.txt").write_text(text)
    with pytest.raises(FileError, match="expected one identity of age") as caught:
        Secret.from_key_file(tmp_path / "id.txt")
    assert IDENTITY[20:30] not in str(caught.value)


def test_armor_is_refused_clearly(tmp_path: Path, key: Secret) -> None:
    path = tmp_path / "a.csv.age"
    path.write_text("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n")
    for secret in (None, key):
        with pytest.raises(FileError, match="armored"):
            read_table(path, secret=secret)


def test_commands_read_it_and_seal_with_the_identity(tmp_path: Path, key: Secret) -> None:
    data = tmp_path / "people.csv.age"
    data.write_bytes(
        encrypted(b"job,age\n" + b"".join(b"%s,%d\n" % (b"ab"[i % 2 : i % 2 + 1], i % 50) for i in range(60)))
    )
    option = ["--seal-key-file", str(tmp_path / "id.txt"), "--quiet"]
    assert run(["unseal", str(data), "-o", str(tmp_path / "plain.csv"), *option]) == 0
    assert (tmp_path / "plain.csv").read_text().startswith("job,age\n")
    out = tmp_path / "out.csv"
    assert run(["synthesize", str(data), "-o", str(out), "--model", "copula", "--seed", "1", *option]) == 0
    assert is_sealed(out)
    assert read_table(out, secret=key).height == 60
    assert run(["inspect", str(data)]) == 2
    write_table(read_table(out, secret=key), tmp_path / "again.csv", secret=key)
    assert not (tmp_path / "again.csv").read_bytes().startswith(b"age")


def test_bech32_is_the_one_of_bip_173() -> None:
    assert bech32.decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef") == bytes.fromhex(
        "00443214c74254b635cf84653a56d7c675be77df"
    )
    assert bech32.decode("A1G7SGD8", "a") is None
    for broken in ("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxq", "abc1rzg", "1qzzfhee", "", "abcdef1b"):
        assert bech32.decode(broken, "abcdef") is None
