"""Where the installed sentence encoder lies on disk, and how its files are known to be whole."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from handrail.guardrails.errors import HandrailError

# Raised whenever the same weights are turned into another graph: thresholds belong to one recipe.
ENCODER_RECIPE = 2

FOLDER_PREFIX = "minilm-l6-v2-int8-"
MANIFEST = "manifest.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
FILES = (MODEL, TOKENIZER)


class EncoderUnavailable(HandrailError):
    """The sentence encoder is not installed, or its files are damaged."""


class FileRecord(BaseModel):
    """Size in bytes and SHA-256 in hex of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    sha256: str


class Manifest(BaseModel):
    """What lies in a model folder.

    Attributes:
        recipe: How the files were made; see ``ENCODER_RECIPE``.
        revision: SHA-256 over the digests of the files; changes exactly when an embedding can change.
        source: Package and version that the weights came from.
        dimensions: Length of an embedding.
        files: The files by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: int
    revision: str
    source: str
    dimensions: int
    files: Mapping[str, FileRecord]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder whose files match its manifest."""

    path: Path
    manifest: Manifest


def default_cache_dir() -> Path:
    """Return ``HANDRAIL_CACHE_DIR``, or the user's cache folder for Handrail."""
    configured = os.environ.get("HANDRAIL_CACHE_DIR")
    if configured:
        return Path(configured).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("handrail", appauthor=False)


def models_dir(cache_dir: Path) -> Path:
    """Return the folder that holds one folder per installed revision."""
    return cache_dir / "models"


def record_file(path: Path) -> FileRecord:
    """Measure one file.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return FileRecord(size=stream.tell(), sha256=digest.hexdigest())


def revision_of(files: Mapping[str, FileRecord]) -> str:
    """Return the revision that stands for these files."""
    lines = "".join(f"{name} {files[name].sha256}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def open_folder(path: Path) -> ModelFolder:
    """Read the manifest of ``path`` and check every file against it (tens of milliseconds).

    Raises:
        EncoderUnavailable: the folder is missing, incomplete, damaged or of another recipe.
    """
    repair = "Run `handrail model install --force`."
    try:
        manifest = Manifest.model_validate_json((path / MANIFEST).read_bytes())
        found = {name: record_file(path / name) for name in FILES}
    except OSError as error:
        raise EncoderUnavailable(f"The sentence encoder in {path} cannot be read ({error}). {repair}") from error
    except ValidationError as error:
        raise EncoderUnavailable(f"The manifest in {path} is damaged. {repair}") from error
    if manifest.recipe != ENCODER_RECIPE:
        raise EncoderUnavailable(f"The sentence encoder in {path} was made by another version. {repair}")
    if found != dict(manifest.files) or manifest.revision != revision_of(found):
        raise EncoderUnavailable(f"The files in {path} do not match their manifest. {repair}")
    return ModelFolder(path, manifest)


def find_model(cache_dir: Path) -> ModelFolder:
    """Return the installed encoder; the same one every time, should several revisions be there.

    Raises:
        EncoderUnavailable: none is installed, or none is whole.
    """
    problem: EncoderUnavailable | None = None
    for path in sorted(models_dir(cache_dir).glob(f"{FOLDER_PREFIX}*")):
        try:
            return open_folder(path)
        except EncoderUnavailable as error:
            problem = problem or error
    raise problem or EncoderUnavailable(
        f"No sentence encoder is installed in {models_dir(cache_dir)}. Run `handrail model install`."
    )
