"""Check digits of card numbers and bank accounts."""

from __future__ import annotations

from string import ascii_uppercase, digits

MIN_CARD_DIGITS = 12
MAX_CARD_DIGITS = 19
MIN_IBAN_LENGTH = 15
MAX_IBAN_LENGTH = 34
ISSUERS = ("2", "3", "4", "5", "6", "1800")  # 1800: the old numbers of JCB
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_card_number(number: str) -> bool:
    """Whether the ASCII digits `number` are a card number: length, issuer digit and Luhn sum (ISO/IEC 7812-1)."""
    if not MIN_CARD_DIGITS <= len(number) <= MAX_CARD_DIGITS or not number.startswith(ISSUERS):
        return False
    if len(set(number)) == 1:
        return False
    total = sum(int(digit) for digit in number[-1::-2]) + sum(_DOUBLED[int(digit)] for digit in number[-2::-2])
    return total % 10 == 0


def is_iban(account: str) -> bool:
    """Whether `account`, without spaces, is an IBAN: length, form and mod-97 remainder (ISO 13616)."""
    text = account.upper()
    if not MIN_IBAN_LENGTH <= len(text) <= MAX_IBAN_LENGTH or any(c not in ascii_uppercase + digits for c in text):
        return False
    if text[0] in digits or text[1] in digits or not text[2:4].isdigit():
        return False
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1
