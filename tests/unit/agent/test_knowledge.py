from pathlib import Path

from handrail.agent.composition import _patience
from handrail.agent.knowledge import chroma_of, endpoint_of, remote_seconds
from handrail.agent.room import Patience
from handrail.agent.settings import Settings
from handrail.retrieval.chroma_place import EmbeddedChroma
from handrail.retrieval.chroma_server import ChromaServer

REMOTE = {
    "embedding_model": "small",
    "embedding_base_url": "http://127.0.0.1:9/v1",
    "embedding_timeout_seconds": 4.0,
    "chroma_url": "http://127.0.0.1:8",
    "chroma_timeout_seconds": 3.0,
    "chroma_headers": {"x-chroma-token": "secret"},
}


def settings(folder: Path, **more: object) -> Settings:
    """Settings with these."""
    return Settings.model_validate({"data_dir": folder, **more})


def test_everything_is_here_unless_settings_say_otherwise(tmp_path: Path) -> None:
    """No endpoint, no server, and no more patience than that."""
    chosen = settings(tmp_path)
    assert endpoint_of(chosen) is None
    assert isinstance(chroma_of(chosen), EmbeddedChroma)
    assert _patience(chosen).retrieval == Patience().retrieval


def test_a_search_may_wait_as_long_as_the_settings_of_its_parts_allow(tmp_path: Path) -> None:
    """A limit of seconds that is set is not cut short by the one around it: embedding, then two requests to Chroma."""
    chosen = settings(tmp_path, **REMOTE)
    assert remote_seconds(chosen) == 4.0 + 2 * 3.0
    assert _patience(chosen).retrieval == Patience().retrieval + 10.0


def test_a_server_gets_its_headers_and_shows_them_to_nobody(tmp_path: Path) -> None:
    """Settings, place and name can be printed."""
    place = chroma_of(settings(tmp_path, **REMOTE))
    assert isinstance(place, ChromaServer)
    assert place.headers["x-chroma-token"].get_secret_value() == "secret"
    assert "secret" not in f"{place!r} {place.name}"
