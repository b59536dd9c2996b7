import os
from pathlib import Path

import pytest

from handrail.retrieval.errors import RetrievalError
from handrail.retrieval.generation import POINTER, BaseFolder, FileGenerationPointer, Generation

ONE = Generation(generation_id="000001-aaaaaaaa", revision="a" * 64)
TWO = Generation(generation_id="000002-bbbbbbbb", revision="b" * 64)


def test_the_pointer_is_empty_before_the_first_ingest(tmp_path: Path) -> None:
    """No file means no base, which is no error of the pointer."""
    assert FileGenerationPointer(tmp_path / "kb").get() is None


def test_another_reader_notices_the_switch(tmp_path: Path) -> None:
    """Readers of other processes see the new generation at their next question."""
    reader = FileGenerationPointer(tmp_path)
    FileGenerationPointer(tmp_path).set(ONE)
    assert reader.get() == ONE
    FileGenerationPointer(tmp_path).set(TWO)
    assert reader.get() == TWO


def test_an_unchanged_pointer_is_not_read_again(tmp_path: Path) -> None:
    """Asking before every search costs one look at the file's status."""
    pointer = FileGenerationPointer(tmp_path)
    pointer.set(ONE)
    pointer.get()
    path, status = tmp_path / POINTER, (tmp_path / POINTER).stat()
    path.write_text("x" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert pointer.get() == ONE


@pytest.mark.parametrize("content", ["", "{", '{"generation_id": "../../etc", "revision": "x"}'])
def test_a_damaged_pointer_is_an_error(tmp_path: Path, content: str) -> None:
    """Neither an empty file nor a path out of the base is followed."""
    (tmp_path / POINTER).write_text(content)
    with pytest.raises(RetrievalError, match="kb ingest"):
        FileGenerationPointer(tmp_path).get()


def test_one_ingest_at_a_time(tmp_path: Path) -> None:
    """The second one is told to wait, and may come back."""
    base = BaseFolder(tmp_path)
    with base.locked(), pytest.raises(RetrievalError, match="Another ingest"), base.locked():
        pass
    with base.locked():
        pass
