"""Drawn secrets: tokens by their makers' documentation, keys, passwords and codes."""

from __future__ import annotations

import string
from base64 import urlsafe_b64encode
from random import Random

from handrail.evals.detection.personal_drawn import Drawn, digits, drawn_of

_LETTERS = string.ascii_letters + string.digits


def _vendor_token(random: Random) -> str:
    token = random.choice(
        (
            f"AKIA{drawn_of(random, string.ascii_uppercase + '234567', 16)}",
            f"AIza{drawn_of(random, _LETTERS + '_-', 35)}",
            f"ghp_{drawn_of(random, _LETTERS, 36)}",
            f"github_pat_{drawn_of(random, _LETTERS, 22)}_{drawn_of(random, _LETTERS, 59)}",
            f"glpat-{drawn_of(random, _LETTERS + '_-', 20)}",
            f"xoxb-{digits(random, 12)}-{digits(random, 12)}-{drawn_of(random, _LETTERS, 24)}",
            f"sk_live_{drawn_of(random, _LETTERS, 24)}",
            f"rk_test_{drawn_of(random, _LETTERS, 24)}",
            f"whsec_{drawn_of(random, _LETTERS, 32)}",
            f"sk-proj-{drawn_of(random, _LETTERS + '_-', 48)}",
            f"sk-ant-api03-{drawn_of(random, _LETTERS + '_-', 93)}AA",
            f"SG.{drawn_of(random, _LETTERS, 22)}.{drawn_of(random, _LETTERS, 43)}",
            f"SK{drawn_of(random, '0123456789abcdef', 32)}",
            f"npm_{drawn_of(random, _LETTERS, 36)}",
            f"hf_{drawn_of(random, string.ascii_letters, 34)}",
            f"dop_v1_{drawn_of(random, '0123456789abcdef', 64)}",
            f"shpat_{drawn_of(random, '0123456789abcdef', 32)}",
            f"{digits(random, 10)}:AA{drawn_of(random, _LETTERS + '_-', 33)}",
            f"{drawn_of(random, '0123456789abcdef', 32)}-us{random.randint(1, 21)}",
        )
    )
    return token[:-1] + "x" if token[-1] in "_-" else token


def _jwt(random: Random) -> str:
    def part(text: str) -> str:
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    claims = f'{{"sub":"{digits(random, 8)}","iat":{random.randint(1_600_000_000, 1_900_000_000)}}}'
    header = part('{"alg":"HS256","typ":"JWT"}')
    return f"{header}.{part(claims)}.{drawn_of(random, _LETTERS, 43)}"


def _private_key(random: Random) -> str:
    kind = random.choice(("RSA ", "EC ", "", "OPENSSH ", "ENCRYPTED "))
    lines = "\n".join(drawn_of(random, _LETTERS + "+/", 64) for _ in range(random.randint(3, 20)))
    last = drawn_of(random, _LETTERS, 20)
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n{last}==\n-----END {kind}PRIVATE KEY-----"


def _password(random: Random) -> str:
    return (
        drawn_of(random, _LETTERS, random.randint(4, 9))
        + random.choice("!#$%@&*+_")
        + digits(random, 3)
        + drawn_of(random, _LETTERS, 2)
    )


def _code(random: Random) -> str:
    return digits(random, 6)


SECRETS = (
    Drawn("secret: vendor token", "PII_SECRET", _vendor_token),
    Drawn("secret: JWT", "PII_SECRET", _jwt),
    Drawn("secret: private key", "PII_SECRET", _private_key),
    Drawn("secret: password", "PII_SECRET", _password, ("password", "API key", "passphrase", "access token")),
    Drawn("secret: code", "PII_SECRET", _code, ("verification code", "OTP", "one-time code")),
)  # fmt: skip
"""Passwords and codes are named."""
