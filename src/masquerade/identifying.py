"""What can tell who a row is about: the kinds of identifiers, by name. Only words here; `masquerade.privacy.pii` finds them.

A *direct* identifier names a person by itself. A *quasi*-identifier does so together with others: sex, birth date and postcode
single out most Americans (Sweeney 2000). A *special* one is a trait that law protects (GDPR, article 9).

>>> IDENTIFIERS["phone"].sensitivity
'direct'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["IDENTIFIERS", "Identifier", "Sensitivity"]

Sensitivity = Literal["direct", "quasi", "special"]


@dataclass(frozen=True)
class Identifier:
    """One kind of identifier.

    Args:
        kind: its short name, as in `schema.toml`.
        title: what people call it.
        sensitivity: how it identifies.
    """

    kind: str
    title: str
    sensitivity: Sensitivity


def _table() -> dict[str, Identifier]:
    direct = {
        "chinese_id": "Chinese national id",
        "iban": "bank account (IBAN)",
        "card": "payment card number",
        "us_ssn": "US social security number",
        "uk_nhs": "UK NHS number",
        "german_tax_id": "German tax id",
        "french_nir": "French social security number",
        "spanish_id": "Spanish DNI or NIE",
        "brazilian_cpf": "Brazilian CPF",
        "indian_aadhaar": "Indian Aadhaar number",
        "indian_pan": "Indian PAN",
        "email": "e-mail address",
        "phone": "phone number",
        "vin": "vehicle identification number",
        "plate": "number plate",
        "ip": "IP address",
        "mac": "MAC address",
        "url": "web address",
        "coordinates": "coordinates",
        "address": "postal address",
        "name": "person's name",
        "passport": "passport number",
        "bank_account": "bank account",
        "username": "user name or account on a network",
    }
    quasi = {
        "postcode": "postcode",
        "birth_date": "date of birth",
        "sex": "sex",
        "age": "age",
        "marital_status": "marital status",
        "education": "education",
        "occupation": "occupation",
        "nationality": "nationality",
    }
    special = {"race": "race or ethnic group", "religion": "religion", "health": "health"}
    groups: tuple[tuple[Sensitivity, dict[str, str]], ...] = (
        ("direct", direct),
        ("quasi", quasi),
        ("special", special),
    )
    return {
        kind: Identifier(kind, title, sensitivity) for sensitivity, kinds in groups for kind, title in kinds.items()
    }


IDENTIFIERS = _table()
"""Every kind by its short name; where two fit a column equally well, the earlier one counts."""
