"""Labels that stand for masked personal data, by reason code. Apart from the search, which is dear to load."""

from __future__ import annotations

import re

LABELS = {
    "PII_SECRET": "[secret]",
    "PII_EMAIL": "[email]",
    "PII_URL": "[url]",
    "PII_IBAN": "[iban]",
    "PII_CARD": "[card]",
    "PII_NATIONAL_ID": "[national id]",
    "PII_IP": "[ip address]",
    "PII_PHONE": "[phone]",
    "PII_ADDRESS": "[address]",
    "PII_NAME": "[name]",
}
MASKED = "[masked]"
"""Stands for the value of a field that its tool declares as masked."""

LABEL = re.compile("|".join(re.escape(label) for label in (*LABELS.values(), MASKED)))
"""Any of the labels."""

ALL_KINDS = frozenset(LABELS)
GRAVE_KINDS = frozenset({"PII_CARD", "PII_IBAN", "PII_NATIONAL_ID", "PII_SECRET"})
"""What lets its reader pay, sign in or sign as somebody else, and what no answer needs."""
