"""What attached files are and are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.agent.media import ENDINGS, LONGEST_NAME, clean_name, media_type_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 20, "image/jpeg"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"GIF89a" + b"\x00" * 20, "image/gif"),
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        ("Line 1\r\n\tLine 2: 49,00 €".encode(), "text/plain"),
        (b"1 < 2 and 3 > 2", "text/plain"),
    ],
)
def test_the_bytes_say_what_a_file_is(content: bytes, media_type: str) -> None:
    """Each kind that is taken."""
    assert media_type_of(content) == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00\x03",
        b"\x7fELF\x02\x01",
        b"PK\x03\x04\x14\x00",
        b"<html><script>alert(1)</script>",
        b"  \n<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "\ufeff<!DOCTYPE html>".encode(),
        b"<?xml version='1.0'?>",
        b"RIFF\x24\x00\x00\x00AVI LIST",
        b"caf\xe9",
        b"text with \x00 in it",
        b"\x1b[31mred",
    ],
)
def test_anything_else_is_not_taken(content: bytes) -> None:
    """Programs, archives, markup that a browser would run, other encodings, control characters."""
    assert media_type_of(content) is None


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("statement.png", "statement.png"),
        ("statement", "statement.png"),
        ("statement.exe", "statement.exe.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\Users\\me\\Statement.PNG", "Statement.png"),
        ('a<b>:c"d.png', "a_b__c_d.png"),
        ("invoice\u202egnp.exe", "invoicegnp.exe.png"),
        ("  two   words .png ", "two words.png"),
        ("line\nbreak\x00.png", "linebreak.png"),
        ("", "file.png"),
        ("...", "file.png"),
        (".png", "file.png"),
        ("Übersicht März.png", "Übersicht März.png"),
    ],
)
def test_names_are_cleaned(name: str, kept: str) -> None:
    """No path, nothing invisible, and an ending that says what the file is."""
    assert clean_name(name, "image/png") == kept


@given(st.text(max_size=400), st.sampled_from(sorted(ENDINGS)))
def test_every_name_becomes_a_safe_one(name: str, media_type: str) -> None:
    """Whatever is sent: bounded, printable, no separator, no leading dot, the right ending."""
    kept = clean_name(name, media_type)
    assert 0 < len(kept) <= LONGEST_NAME
    assert kept.isprintable()
    assert not set(kept) & set('<>:"/\\|?*')
    assert not kept.startswith(".")
    assert kept.endswith(ENDINGS[media_type])


def test_the_other_endings_of_a_kind_are_its_own() -> None:
    """A jpeg stays one name, a log is a text."""
    assert clean_name("photo.jpeg", "image/jpeg") == "photo.jpg"
    assert clean_name("app.log", "text/plain") == "app.txt"
