"""Sealed files and files of `age` to damage, and what opens them. Nothing of them may open that is not what was sealed."""

from __future__ import annotations

import base64
import hmac
import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

import masquerade as mq
from masquerade import artifact, bech32
from masquerade.files import read_table, write_table
from masquerade.secret import Secret
from masquerade.table_stream import TableStream
from mutations import Mutant, broken_text
from mutations_of_files import broken, damaged_sealed
from subjects import Damage, Subject, damaged_text

__all__ = ["age", "keys", "sealed"]

PASSWORD = b"correct horse battery"
IDENTITY = "AGE-SECRET-KEY-1EZGHF8ZD6Q24HK2KSZMJNEV6ERLCW2D8JXUZFZA9PCC89CFAKY3Q2CM52R"
ROWS = 3_000


def people() -> pl.DataFrame:
    """So many rows that a sealed CSV of them has several chunks."""
    rng = random.Random(3)
    return pl.DataFrame(
        {
            "name": [f"{rng.randbytes(30).hex()}" for _ in range(ROWS)],
            "age": [str(rng.randrange(99)) for _ in range(ROWS)],
        }
    )


def secrets(folder: Path) -> tuple[Secret, Secret, Secret]:
    """A key, a password and an identity of `age`."""
    path = folder / "secret"
    made = []
    for text, read in (
        ("00112233445566778899aabbccddeeff" * 2, Secret.from_key_file),
        (PASSWORD.decode(), Secret.from_password_file),
        (IDENTITY, Secret.from_key_file),
    ):
        path.write_text(text)
        made.append(read(path))
    path.unlink()
    return made[0], made[1], made[2]


def sealed(folder: Path) -> list[Subject]:
    """A model, a CSV, a packed CSV and a Parquet file sealed with a key, and a model sealed with a password."""
    key, password, _ = secrets(folder)
    frame = people()
    table = frame.with_columns(pl.col("age").cast(pl.Int64))

    def opens(read: Callable[[Path], Any], whole: Any, same: Callable[[Any, Any], bool]) -> Callable[[Path], object]:
        def use(path: Path) -> None:
            assert same(read(path), whole), "it opened as something else"

        return use

    def streamed(path: Path) -> pl.DataFrame:
        return pl.concat([batch.frame for batch in TableStream(path, secret=key).batches()])

    arrays = {"weights": np.arange(40_000.0)}

    def whole(part: artifact.Artifact) -> bool:
        return part.config == {"width": 2} and bool((part.arrays["weights"] == arrays["weights"]).all())

    out = []
    for name, secret in (("sealed.mq", key), ("password.mq", password)):
        path = folder / name
        if secret is password:
            artifact.write(path, "CTGAN", {"width": 2}, {"weights": arrays["weights"]}, secret=secret)
            use = opens(lambda path: artifact.read(path, secret=password), True, lambda part, _: whole(part))
        else:
            mq.GaussianCopula(protect=2, random_state=0).fit(table).save(path, secret=key)
            drawn = mq.load(path, secret=key).sample(5, random_state=1)
            use = opens(lambda path: mq.load(path, secret=key).sample(5, random_state=1), drawn, _equal)
        out.append(Subject(name, path.read_bytes(), use, damaged_sealed, megabytes=650 if secret is password else 500))
    for name, content, read in (
        ("sealed.csv", frame, lambda path: read_table(path, secret=key)),
        ("streamed.csv", frame, streamed),
        ("sealed.csv.gz", frame, lambda path: read_table(path, secret=key)),
        ("sealed.parquet", table, lambda path: read_table(path, secret=key)),
    ):
        write_table(content, folder / name, secret=key)
        use = opens(read, content, _equal)
        out.append(Subject(name, (folder / name).read_bytes(), use, damaged_sealed))
    return out


def _equal(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    return one.equals(other)


def keys() -> list[Subject]:
    """The files of secrets themselves."""
    return [
        Subject("secret.key", b"00112233445566778899aabbccddeeff" * 2, Secret.from_key_file, damaged_text),
        Subject("identity.txt", f"# created: once\n{IDENTITY}\n".encode(), Secret.from_key_file, damaged_text),
        Subject("password.txt", PASSWORD + b"\n", Secret.from_password_file, damaged_text),
    ]


# ── age ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def age(folder: Path) -> list[Subject]:
    """A CSV that was encrypted to a recipient, and one with a passphrase."""
    _, password, identity = secrets(folder)
    content = people().write_csv().encode()
    whole = people()

    def use(secret: Secret) -> Callable[[Path], object]:
        def opens(path: Path) -> None:
            assert read_table(path, secret=secret).equals(whole), "it opened as something else"

        return opens

    return [
        Subject("people.csv.age", encrypted(content), use(identity), damaged_age(content, None)),
        Subject(
            "passphrase.csv.age", encrypted(content, log_n=4), use(password), damaged_age(content, 4), megabytes=1_200
        ),
    ]


def damaged_age(content: bytes, log_n: int | None) -> Damage:
    """Broken by bytes or by words of the header; or forged by who knows the recipient, with every code right."""

    def damage(whole: bytes, rng: random.Random) -> Mutant:
        kind = rng.random()
        if kind < 0.4:
            mutant = broken(whole, rng)
        elif kind < 0.7:
            end = whole.index(b"\n--- ") + 50
            mutant = broken_text(whole[:end], rng)
            mutant = Mutant(mutant.content + whole[end:], f"header: {mutant.how}", may_load=True)
        else:
            how, changed = _forged_age(content, log_n, rng)
            return Mutant(changed, how, may_load=True)
        return Mutant(mutant.content, mutant.how, may_load=mutant.content == whole)

    return damage


def _forged_age(content: bytes, log_n: int | None, rng: random.Random) -> tuple[str, bytes]:
    """Other stanzas, costs, chunks or ends."""
    shares = (bytes(32), b"\x01" + bytes(31), b"\xff" * 32, bytes(31), rng.randbytes(32))
    stanza = (
        b"-> X25519 " + _text(rng.choice(shares)) + b"\n" + _text(rng.randbytes(rng.choice((0, 16, 32, 33)))) + b"\n"
    )
    odd = (
        stanza, stanza * 50, stanza * 2_000, b"-> \n\n", b"-> X25519\n\n", b"-> scrypt AAAA 4\n\n", b"-> grease \xff\n\n",
        b"-> x " + b"a" * 5_000 + b"\n\n", b"-> x\n" + (b"A" * 64 + b"\n") * 2_000 + b"\n", b"-> x\n" + b"A" * 65 + b"\n",
        b"\n", b"-> x\nA===\n", b"-> x\n\x00\n", b"--- AAAA\n", b"-> X25519  \n\n",
    )  # fmt: skip
    way = rng.randrange(4)
    if way == 0:
        before = rng.choice(odd)
        return f"before: {before[:30]!r}", encrypted(content, log_n=log_n, before=before)
    if way == 1 and log_n is not None:
        cost = rng.choice(
            (b"0", b"1", b"01", b"20", b"19", b"21", b"99", b"", b"-1", b"4 4", b"1e1", b"\xb2", b"9" * 3_000)
        )
        return f"cost {cost[:10]!r}", encrypted(content, log_n=log_n, cost=cost)
    if way == 2:
        chunk = rng.choice((1, 100, (1 << 16) - 1, (1 << 16) + 1, 1 << 15))
        return f"chunks of {chunk}", encrypted(content[: 20 * chunk], log_n=log_n, chunk=chunk)
    ends = (b"", b"x", bytes(16), rng.randbytes(65_552))
    return "another end", encrypted(content, log_n=log_n) + rng.choice(ends)


def encrypted(
    content: bytes, *, log_n: int | None = None, before: bytes = b"", chunk: int = 1 << 16, cost: bytes | None = None
) -> bytes:
    """As `age` writes it: to the identity above, or with the password where `log_n` is given."""
    key, salt = bytes(range(16)), bytes(range(16, 32))
    if log_n is None:
        material = bech32.decode(IDENTITY, "age-secret-key-")
        assert material is not None
        ephemeral = X25519PrivateKey.from_private_bytes(salt * 2)
        public = X25519PrivateKey.from_private_bytes(material).public_key()
        share = ephemeral.public_key().public_bytes_raw()
        wrapping = _hkdf(ephemeral.exchange(public), share + public.public_bytes_raw(), b"age-encryption.org/v1/X25519")
        stanza = b"-> X25519 " + _text(share)
    else:
        wrapping = Scrypt(b"age-encryption.org/v1/scrypt" + salt, 32, n=1 << log_n, r=8, p=1).derive(PASSWORD)
        stanza = b"-> scrypt " + _text(salt) + b" " + (str(log_n).encode() if cost is None else cost)
    wrapped = ChaCha20Poly1305(wrapping).encrypt(bytes(12), key, None)
    header = b"age-encryption.org/v1\n" + before + stanza + b"\n" + _text(wrapped) + b"\n---"
    code = hmac.digest(_hkdf(key, b"", b"header"), header, "sha256")
    nonce = bytes(range(32, 48))
    cipher, out = ChaCha20Poly1305(_hkdf(key, nonce, b"payload")), io.BytesIO()
    starts = range(0, len(content), chunk)
    for number, start in enumerate(starts):
        last = number == len(starts) - 1
        out.write(cipher.encrypt(number.to_bytes(11, "big") + bytes([last]), content[start : start + chunk], None))
    return header + b" " + _text(code) + b"\n" + nonce + out.getvalue()


def _text(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _hkdf(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, purpose).derive(key)
