"""Kinds of settings: what a table of keys, of origins, of servers, or a list of proxies has to look like."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from handrail.agent.mcp.reach import McpServer

SHORTEST_SECRET = 32
"""Bytes: an HS256 key shorter than its digest can be guessed from one token (RFC 7518, section 3.2)."""

_SITE_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_SERVER = re.compile(r"[a-z][a-z0-9_-]{0,59}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")
_CONTENT = re.compile(r"[!-~]([ -~]*[!-~])?")
_USUAL_PORT = re.compile(r"https://.*:443$|http://.*:80$")


def _table(content: object) -> object:
    """A mapping written as JSON, as it stands in an environment variable."""
    if not isinstance(content, str):
        return content
    try:
        return json.loads(content)
    except json.JSONDecodeError:
        raise ValueError('not a JSON object, such as {"name": ...}') from None


def _strong(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < SHORTEST_SECRET:
        raise ValueError(f"shorter than {SHORTEST_SECRET} bytes")
    return secret


def _all_strong(keys: dict[str, SecretStr]) -> dict[str, SecretStr]:
    weak = sorted(name for name, key in keys.items() if len(key.get_secret_value().encode()) < SHORTEST_SECRET)
    if weak:
        raise ValueError(f"the secret of {', '.join(weak)} is shorter than {SHORTEST_SECRET} bytes")
    return keys


def _exact(keys: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Origins as browsers send them, so that they can be compared as they are; no patterns."""
    odd = sorted(key for key in keys if not _SITE_KEY.fullmatch(key))
    if odd:
        raise ValueError(f"{', '.join(odd)}: a site key has 8 to 64 letters, digits, dashes or underscores")
    listed = {each for origins in keys.values() for each in origins}
    wrong = sorted(each for each in listed if not _ORIGIN.fullmatch(each) or _USUAL_PORT.match(each))
    if wrong:
        raise ValueError(
            f"{', '.join(wrong)}: an origin is scheme and host in lower case, with the port if it is not the usual "
            "one, and without a path"
        )
    return keys


def _named(servers: dict[str, McpServer]) -> dict[str, McpServer]:
    odd = sorted(name for name in servers if not _SERVER.fullmatch(name))
    if odd:
        raise ValueError(f"{', '.join(odd)}: the name of a server has small letters, digits, dashes or underscores")
    return servers


def _fields(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    """Header fields as RFC 9110, section 5, has them; what is wrong with a content is not repeated."""
    odd = sorted(name for name in headers if not _HEADER.fullmatch(name))
    if odd:
        raise ValueError(f"{', '.join(odd)}: the name of a header has letters, digits and dashes")
    odd = sorted(name for name, content in headers.items() if not _CONTENT.fullmatch(content.get_secret_value()))
    if odd:
        raise ValueError(f"the content of {', '.join(odd)} is empty, or not plain ASCII on one line")
    return headers


def _addresses(proxies: str) -> str:
    for each in proxies.split(","):
        try:
            ip_network(each.strip())
        except ValueError:
            raise ValueError(f"{each.strip() or 'nothing'} is not an address or a network") from None
    return proxies


Secret = Annotated[SecretStr, AfterValidator(_strong)]
Keys = Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_table), AfterValidator(_all_strong)]
SiteKeys = Annotated[dict[str, tuple[str, ...]], NoDecode, BeforeValidator(_table), AfterValidator(_exact)]
Headers = Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_table), AfterValidator(_fields)]
McpServers = Annotated[dict[str, McpServer], NoDecode, BeforeValidator(_table), AfterValidator(_named)]
Proxies = Annotated[str, AfterValidator(_addresses)]
