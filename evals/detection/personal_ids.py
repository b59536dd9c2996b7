"""Drawn numbers that states give to persons, with check digits by their published arithmetic."""

from __future__ import annotations

import string
from random import Random

from handrail.evals.detection.personal_drawn import Drawn, digits, drawn_of, grouped, weighted, with_luhn


def _ssn(random: Random) -> str:
    return f"{random.randint(1, 665):03}-{random.randint(1, 99):02}-{random.randint(1, 9999):04}"


def _itin(random: Random) -> str:
    return f"9{digits(random, 2)}-{random.randint(70, 88)}-{digits(random, 4)}"


def _nino(random: Random) -> str:
    whole = random.choice(("AB", "CE", "JK", "PX", "SR", "WM")) + digits(random, 6) + random.choice("ABCD")
    return grouped(random, whole, (2, 2, 2, 2), ("", " "))


def _nhs(random: Random) -> str:
    while True:
        stem = str(random.randint(4, 7)) + digits(random, 8)
        check = 11 - weighted(stem, range(10, 1, -1)) % 11
        if check != 10:
            return grouped(random, stem + str(check % 11), (3, 3), ("", " ", "-"))


def _steuer_id(random: Random) -> str:
    figures = random.sample(string.digits, 10)
    if figures[0] == "0":
        figures.reverse()
    figures[random.randint(1, 9)] = figures[0]
    stem = "".join(figures)
    product = 10
    for digit in stem:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return grouped(random, stem + str((11 - product) % 10), (2, 3, 3), ("", " "))


def _nir(random: Random) -> str:
    stem = f"{random.choice('12')}{digits(random, 2)}{random.randint(1, 12):02}{random.randint(1, 95):02}"
    stem = stem.replace("20", "21") + f"{random.randint(1, 990):03}{random.randint(1, 999):03}"
    return grouped(random, f"{stem}{97 - int(stem) % 97:02}", (1, 2, 2, 2, 3, 3), ("", " "))


def _dni(random: Random) -> str:
    number = random.randint(1_000_000, 99_999_999)
    return f"{number:08}{random.choice(('', '-'))}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _nie(random: Random) -> str:
    first, number = random.randint(0, 2), random.randint(0, 9_999_999)
    return f"{'XYZ'[first]}{number:07}{'TRWAGMYFPDXBNJZSQVHLCKE'[(first * 10_000_000 + number) % 23]}"


_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10,
    22, 25, 24, 23),
    strict=True))  # fmt: skip


def _codice_fiscale(random: Random) -> str:
    consonants, day = "BCDFGLMNPRSTVZ", random.randint(1, 28) + random.choice((0, 40))
    stem = drawn_of(random, consonants, 6) + f"{random.randint(30, 99)}{random.choice('ABCDEHLMPRST')}{day:02}"
    stem += random.choice("ABCDEFGHL") + f"{random.randint(1, 950):03}"
    total = sum(
        _ODD[one] if at % 2 == 0 else int(one) if one.isdigit() else ord(one) - ord("A") for at, one in enumerate(stem)
    )
    return stem + chr(ord("A") + total % 26)


def _bsn(random: Random) -> str:
    while True:
        stem = str(random.randint(1, 9)) + digits(random, 7)
        check = weighted(stem, range(9, 1, -1)) % 11
        if check < 10:
            return stem + str(check)


def _pesel(random: Random) -> str:
    stem = f"{random.randint(30, 99)}{random.randint(1, 12):02}{random.randint(1, 28):02}{digits(random, 4)}"
    return stem + str(-weighted(stem, (1, 3, 7, 9) * 3) % 10)


def _personnummer(random: Random) -> str:
    stem = f"{random.randint(30, 99)}{random.randint(1, 12):02}{random.randint(1, 28):02}{random.randint(1, 999):03}"
    whole = with_luhn(stem)
    return f"{random.choice(('', '19'))}{whole[:6]}-{whole[6:]}"


def _aadhaar(random: Random) -> str:
    """Twelve digits, the last by Verhoeff's scheme: the dihedral group of order ten, and one permutation of digits."""
    stem = random.choice("23456789") + digits(random, 10)
    step = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)

    def together(one: int, other: int) -> int:
        turned = (one + other if one < 5 else one - other) % 5
        return turned if (one < 5) == (other < 5) else turned + 5

    total = 0
    for at, figure in enumerate(reversed(stem), start=1):
        digit = int(figure)
        for _ in range(at):
            digit = step[digit]
        total = together(total, digit)
    check = next(digit for digit in range(10) if together(total, digit) == 0)
    return grouped(random, stem + str(check), (4, 4), (" ", " ", "-"))


def _pan(random: Random) -> str:
    return (
        drawn_of(random, string.ascii_uppercase, 3)
        + "P"
        + drawn_of(random, string.ascii_uppercase, 1)
        + digits(random, 4)
        + "K"
    )


def _cpf(random: Random) -> str:
    whole = digits(random, 9)
    for _ in range(2):
        whole += str(weighted(whole, range(len(whole) + 1, 1, -1)) * 10 % 11 % 10)
    return f"{whole[:3]}.{whole[3:6]}.{whole[6:9]}-{whole[9:]}"


def _tfn(random: Random) -> str:
    while True:
        whole = str(random.randint(1, 9)) + digits(random, 8)
        if weighted(whole, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0:
            return grouped(random, whole, (3, 3), ("", " "))


def _sin(random: Random) -> str:
    return grouped(random, with_luhn(random.choice("1234567") + digits(random, 7)), (3, 3), ("-", " "))


IDS = (
    Drawn("id: US SSN", "PII_NATIONAL_ID", _ssn),
    Drawn("id: US ITIN", "PII_NATIONAL_ID", _itin),
    Drawn("id: UK NINO", "PII_NATIONAL_ID", _nino),
    Drawn("id: UK NHS", "PII_NATIONAL_ID", _nhs, ("NHS number", "nhs no")),
    Drawn("id: DE Steuer-ID", "PII_NATIONAL_ID", _steuer_id, ("Steuer-ID", "tax id", "Steueridentifikationsnummer")),
    Drawn("id: FR NIR", "PII_NATIONAL_ID", _nir),
    Drawn("id: ES DNI", "PII_NATIONAL_ID", _dni),
    Drawn("id: ES NIE", "PII_NATIONAL_ID", _nie),
    Drawn("id: IT codice fiscale", "PII_NATIONAL_ID", _codice_fiscale),
    Drawn("id: NL BSN", "PII_NATIONAL_ID", _bsn, ("BSN", "burgerservicenummer", "bsn number")),
    Drawn("id: PL PESEL", "PII_NATIONAL_ID", _pesel, ("PESEL", "pesel number")),
    Drawn("id: SE personnummer", "PII_NATIONAL_ID", _personnummer),
    Drawn("id: IN Aadhaar", "PII_NATIONAL_ID", _aadhaar),
    Drawn("id: IN PAN", "PII_NATIONAL_ID", _pan),
    Drawn("id: BR CPF", "PII_NATIONAL_ID", _cpf),
    Drawn("id: AU TFN", "PII_NATIONAL_ID", _tfn, ("TFN", "tax file number")),
    Drawn("id: CA SIN", "PII_NATIONAL_ID", _sin, ("social insurance number", "SIN number")),
)  # fmt: skip
"""Those without letters or signs of their own are named, as in life."""
