"""Drawn cards, bank accounts, addresses on the internet and phone numbers."""

from __future__ import annotations

import re
import string
from ipaddress import IPv6Address
from random import Random

from handrail.evals.detection.personal_drawn import Drawn, digits, drawn_of, grouped, with_luhn

_BBAN = {
    "AT": "n16", "BE": "n12", "BR": "n23a1n1", "CH": "n17", "CZ": "n20", "DE": "n18", "DK": "n14", "ES": "n20",
    "FI": "n14",
    "FR": "n10c11n2", "GB": "a4n14", "GR": "n7c16", "HU": "n24", "IE": "a4n14", "IT": "a1n10c12", "LU": "n3c13",
    "MT": "a4n5c18", "NL": "a4n10", "NO": "n11", "PL": "n24", "PT": "n21", "RO": "a4c16", "SA": "n2c18", "SE": "n20",
    "TR": "n6c16", "AE": "n19",
}  # fmt: skip
"""The rest of an IBAN by country: digits, capitals, or both (SWIFT's registry)."""


def _iban(random: Random) -> str:
    country = random.choice(sorted(_BBAN))
    classes = {"n": string.digits, "a": string.ascii_uppercase, "c": string.digits + string.ascii_uppercase}
    rest = "".join(
        drawn_of(random, classes[kind], int(size)) for kind, size in re.findall(r"([nac])(\d+)", _BBAN[country])
    )
    number = int("".join(str(int(character, 36)) for character in rest + country + "00"))
    whole = f"{country}{98 - number % 97:02}{rest}"
    return grouped(random, random.choice((whole, whole, whole.lower())), [4] * 8, ("", " ", " "))


def _card(random: Random) -> str:
    prefix, length = random.choice(
        (("4", 16), ("4", 13), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16), ("65", 16),
         ("36", 14), ("3528", 16), ("62", 19), ("5018", 13))
    )  # fmt: skip
    number = with_luhn(prefix + digits(random, length - len(prefix) - 1))
    return grouped(random, number, (4, 6) if length in {14, 15} else (4, 4, 4, 4), ("", "", " ", "-", "."))


_FIRST = (
    "jo",
    "maria",
    "k.lee",
    "anna-lena",
    "o'brien",
    "peter_w",
    "zoë",
    "li",
    "support+eu",
    "x",
    "j.r.smith",
    "mike%sales",
)
_HOSTS = ("example", "mail.example", "acme-shop", "uni-bonn", "post", "my.company", "münchen", "x1")
_TOPS = ("com", "de", "co.uk", "org", "io", "museum", "example", "com.br", "fr", "online")


def _email(random: Random) -> str:
    tail = random.choice(("", "", digits(random, 2), "." + drawn_of(random, string.ascii_lowercase, 5)))
    written = f"{random.choice(_FIRST)}{tail}@{random.choice(_HOSTS)}.{random.choice(_TOPS)}"
    return random.choice((written, written, written.upper(), written.title()))


def _ipv4(random: Random) -> str:
    return ".".join(str(random.randint(0 if at else 1, 255)) for at in range(4))


def _ipv6(random: Random) -> str:
    address = IPv6Address(0x2000 << 112 | random.getrandbits(61) << random.choice((0, 32, 64)))
    return random.choice((address.compressed, address.exploded, address.compressed.upper()))


def _url(random: Random) -> str:
    scheme = random.choice(("https://", "https://", "http://", "http://www.", "www.", "ftp://"))
    port = random.choice(("", "", "", ":8080"))
    word = drawn_of(random, string.ascii_letters + string.digits, random.randint(3, 12))
    path = random.choice(
        ("", "/", f"/{word}", f"/u/{word}/orders?id={digits(random, 6)}&ref={word}", f"/#/{word}", f"/~{word}/a_(b)")
    )
    return f"{scheme}{random.choice(('shop', 'my-site', 'a.b', 'xn--mnchen-3ya'))}.{random.choice(_TOPS)}{port}{path}"


_PHONES = (
    "+1 ### ###-####", "(2##) 5##-####", "2##-555-####", "2##.555.#### x###", "+44 7### ######", "07### ######",
    "020 #### ####",
    "+49 1## #######", "0## / ### ## ##", "+33 6 ## ## ## ##", "06 ## ## ## ##", "+34 6## ### ###", "6## ### ###",
    "+39 3## #######", "+31 6 ########", "06-########", "+46 7# ### ## ##", "07#-### ## ##", "+47 ### ## ###",
    "### ## ###",
    "+48 ### ### ###", "+91 9#### #####", "09### ######", "+55 11 9####-####", "(11) 9####-####", "+61 4## ### ###",
    "04## ### ###", "+81 90-####-####", "+86 1## #### ####", "+972-5#-###-####", "+27 8# ### ####", "+1###55512##",
    "+4915########",
    "#### ####", "### ####", "+45 ## ## ## ##", "## ## ## ##", "+420 ### ### ###", "0043 1 #######", "+353 8# ### ####",
)  # fmt: skip
"""National and international forms of numbering plans on five continents; # is a digit."""


def _phone(random: Random) -> str:
    return re.sub("#", lambda _: random.choice("23456789"), random.choice(_PHONES))


def _foreign_phone(random: Random) -> str:
    return re.sub("#", lambda _: random.choice("23456789"), random.choice([one for one in _PHONES if one[0] == "+"]))


CONTACTS = (
    Drawn("card", "PII_CARD", _card),
    Drawn("e-mail", "PII_EMAIL", _email),
    Drawn("IBAN", "PII_IBAN", _iban),
    Drawn("IPv4", "PII_IP", _ipv4),
    Drawn("IPv6", "PII_IP", _ipv6),
    Drawn("URL", "PII_URL", _url),
    Drawn("phone, named", "PII_PHONE", _phone, ("phone number", "mobile", "cell", "phone", "WhatsApp number")),
    Drawn("phone, international", "PII_PHONE", _foreign_phone),
)  # fmt: skip
"""Phones in national forms are always named: nobody can tell them from other numbers."""
