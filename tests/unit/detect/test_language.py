import pytest

from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.language import LanguageReader
from handrail.guardrails.detect.reading import read


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I can't log in since this morning", "en"),
        ("agent pls", "en"),
        ("refund", "en"),
        ("Ich kann mich seit heute nicht mehr anmelden", "de"),
        ("je ne peux pas me connecter à mon compte", "fr"),
        ("no puedo entrar en mi cuenta, qué hago", "es"),
        ("Não consigo entrar na minha conta", "pt"),
        ("ik kan niet inloggen op mijn account", "nl"),
        ("не могу войти в аккаунт", "ru"),
        ("ログインできません", "ja"),
        ("我无法登录", "zh"),
        ("لا أستطيع الدخول", "ar"),
    ],
)
def test_languages_are_told_apart(shipped: DetectionConfig, text: str, language: str) -> None:
    """By script, or by frequent short words."""
    assert LanguageReader(shipped.languages).language(read(text)) == language


@pytest.mark.parametrize("text", ["żółć", "xq zt pl mn rv wk bd hg lk jj"])
def test_what_cannot_be_told_is_none(shipped: DetectionConfig, text: str) -> None:
    """No guess for a word in unfamiliar letters or a long row of nothing."""
    assert LanguageReader(shipped.languages).language(read(text)) is None
