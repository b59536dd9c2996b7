import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handrail.agent.audit.pseudonyms import SECRET_FILE, Pseudonyms, load_secret
from handrail.guardrails.errors import ConfigError

SECRET = b"0123456789abcdef0123456789abcdef"


def test_a_pseudonym_is_stable_and_keyed() -> None:
    """The same identifier has one pseudonym per site and secret, and never contains the identifier."""
    mine = Pseudonyms(SECRET)
    assert mine.of("a", "cus_1") == mine.of("a", "cus_1")
    assert len({mine.of("a", "cus_1"), mine.of("b", "cus_1"), Pseudonyms(SECRET[::-1]).of("a", "cus_1")}) == 3
    assert "cus_1" not in mine.of("a", "cus_1")


def test_identifiers_are_replaced_wherever_they_stand() -> None:
    """In values, in keys, inside sentences, at any depth; other values stay as they are."""
    mine = Pseudonyms(SECRET)
    stand_in = mine.of("a", "cus_4711")
    content = mine.replace(
        "a", ["cus_4711"], {"owner": "cus_4711", "cus_4711": [1, 2.5, None, True, "of cus_4711."], "other": "cus_47110"}
    )
    assert content == {"owner": stand_in, stand_in: [1, 2.5, None, True, f"of {stand_in}."], "other": "cus_47110"}


def test_short_identifiers_are_replaced_only_where_they_stand_alone() -> None:
    """An identifier like `12` would otherwise destroy amounts and dates."""
    mine = Pseudonyms(SECRET)
    assert mine.replace("a", ["12"], ["12", "on 12 May"]) == [mine.of("a", "12"), "on 12 May"]


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """Threads that start together agree on one secret; only its owner can read it."""
    folder = tmp_path / "new"
    with ThreadPoolExecutor(4) as pool:
        secrets = set(pool.map(lambda _: load_secret(folder), range(8)))
    assert len(secrets) == 1
    assert stat.S_IMODE((folder / SECRET_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [SECRET_FILE]


@pytest.mark.parametrize("content", ["", "zz", "abcd"])
def test_a_damaged_secret_is_never_replaced(tmp_path: Path, content: str) -> None:
    """A new secret would silently break every earlier pseudonym."""
    (tmp_path / SECRET_FILE).write_text(content)
    with pytest.raises(ConfigError):
        load_secret(tmp_path)
    assert (tmp_path / SECRET_FILE).read_text() == content


def test_a_short_secret_is_refused() -> None:
    """A secret that can be guessed protects nobody."""
    with pytest.raises(ConfigError):
        Pseudonyms(b"short")
