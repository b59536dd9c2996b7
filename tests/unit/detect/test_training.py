"""Weights: trained the same every time, kept on disk, and trained again when what lies there is damaged."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from handrail.guardrails.detect import trained_cache
from handrail.guardrails.detect.config import DetectionConfig
from handrail.guardrails.detect.foundation import Foundation
from handrail.guardrails.detect.lexicon import Lexicon
from handrail.guardrails.detect.regression import Design, fit_sigmoids, fit_softmax, fit_temperature, softmax
from handrail.guardrails.detect.trained_cache import cache_key, load_or_train
from handrail.guardrails.detect.training import Trained, train
from handrail.guardrails.encoder import Encoder
from tests.support.blank_foundation import blank_foundation

EMPTY = Lexicon.of((), np.zeros(0, dtype=np.float32))


class HashedEncoder:
    """Vectors from letters: no meaning, but the same ones every time."""

    name = "hashed"
    revision = "hashed"
    dimensions = 16
    deep_dimensions = 16

    def knows(self, word: str) -> bool:
        """Every word."""
        return True

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length one per text."""
        rows = np.ones((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for character in text:
                row[ord(character) % self.dimensions] += 1
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def encode_deep(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same rows: nothing lies deeper."""
        return self.encode(texts)


def fitted(config: DetectionConfig) -> Trained:
    """Weights of `config` on a foundation that knows nothing."""
    return train(config, HashedEncoder(), blank_foundation(HashedEncoder()))


def kept(config: DetectionConfig, folder: Path) -> Trained:
    """The same, from `folder` if they lie there."""
    return load_or_train(config, HashedEncoder(), blank_foundation(HashedEncoder()), folder)


def key(config: DetectionConfig) -> str:
    """The name under which they are kept."""
    return cache_key(config, HashedEncoder(), blank_foundation(HashedEncoder()))


@pytest.fixture(scope="module")
def small(shipped: DetectionConfig) -> DetectionConfig:
    """One intent per need state and two signals: enough to train, and quick."""
    files = [file.model_copy(update={"intents": file.intents[:1]}) for file in shipped.intents]
    signals = tuple(signal for signal in shipped.signals if signal.code in {"ABUSE", "INJECTION_SUSPECTED"})
    return shipped.model_copy(update={"intents": tuple(files), "signals": signals})


def same(one: Trained, other: Trained) -> bool:
    """Whether both hold the same weights."""
    return np.array_equal(one.intent_weights, other.intent_weights) and np.array_equal(
        one.signal_weights, other.signal_weights
    )


def test_training_twice_gives_the_same_weights(small: DetectionConfig) -> None:
    """Decisions can be replayed only if detection is deterministic."""
    assert same(fitted(small), fitted(small))


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every training."""
    calls: list[int] = []

    def counted(config: DetectionConfig, encoder: Encoder, foundation: Foundation) -> Trained:
        calls.append(1)
        return train(config, encoder, foundation)

    monkeypatch.setattr(trained_cache, "train", counted)
    return calls


def test_the_second_start_does_not_train(small: DetectionConfig, tmp_path: Path, trainings: list[int]) -> None:
    """Weights are kept under a key of examples and encoder."""
    first = kept(small, tmp_path)
    assert same(first, kept(small, tmp_path))
    assert len(trainings) == 1


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04broken", b"nonsense"])
def test_damaged_weights_are_trained_again(
    small: DetectionConfig, tmp_path: Path, trainings: list[int], damage: bytes
) -> None:
    """A damaged file costs time, never the start."""
    path = tmp_path / "detection" / f"{key(small)}.npz"
    path.parent.mkdir()
    path.write_bytes(damage)
    kept(small, tmp_path)
    kept(small, tmp_path)
    assert len(trainings) == 1
    assert list(path.parent.glob(".training-*")) == []


def test_a_folder_that_cannot_be_written_does_not_stop_the_start(small: DetectionConfig, tmp_path: Path) -> None:
    """Only the next start pays."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert kept(small, blocked).intents == tuple(small.need_state_of)


def test_other_examples_have_another_key(small: DetectionConfig) -> None:
    """Changed signals invalidate kept weights; changed thresholds of intents do not."""
    fewer = small.model_copy(update={"signals": small.signals[1:]})
    limits = small.thresholds.model_copy(update={"unknown_below": 0.9})
    assert key(fewer) != key(small)
    assert key(small.model_copy(update={"thresholds": limits})) == key(small)


def test_weights_of_another_shape_are_trained_again(
    small: DetectionConfig, tmp_path: Path, trainings: list[int]
) -> None:
    """What was kept under the right name and does not fit together is not used."""
    whole = kept(small, tmp_path)
    path = tmp_path / "detection" / f"{key(small)}.npz"
    with np.load(path) as stored:
        parts = {name: stored[name] for name in stored.files}
    np.savez(path, **{**parts, "roles": parts["roles"][:-1]})
    assert same(kept(small, tmp_path), whole)
    assert len(trainings) == 2


def test_every_example_has_its_role_for_a_signal(small: DetectionConfig) -> None:
    """Instances, other things, and what an unclear intent leaves open."""
    abuse = next(signal for signal in small.signals if signal.code == "ABUSE")
    unclear = abuse.model_copy(update={"unclear": (small.intents[0].intents[0].id,)})
    config = small.model_copy(update={"signals": (unclear, small.signals[1])})
    roles = fitted(config).roles[:, 0].tolist()
    first = len(small.intents[0].intents[0].examples)
    intents = sum(len(file.intents[0].examples) for file in small.intents)
    others = intents + len(abuse.positive) + len(abuse.negative)
    assert roles[:first] == [0] * first
    assert set(roles[first:intents]) == {-1}
    assert roles[intents:others] == [1] * len(abuse.positive) + [-1] * len(abuse.negative)
    assert set(roles[others:]) == {0}


def test_a_rare_word_tells_more_than_a_frequent_one() -> None:
    """The word "how" stands everywhere, so it moves a text less than the word that says what it is about."""
    lexicon = Lexicon.learn([("how", "saml"), ("how", "saml"), ("how", "csv"), ("how", "csv"), ("how", "pay")])
    terms = lexicon.read(("how", "saml"))
    row = {lexicon.terms[column]: value for column, value in zip(terms.columns, terms.values, strict=True)}
    assert row["saml"] > row["how"]
    assert "csv" not in row


def test_separable_classes_are_separated() -> None:
    """Both regressions learn what is there to be learnt."""
    rows = np.repeat(np.eye(3, dtype=np.float32), 5, axis=0)
    nothing = EMPTY.matrix([EMPTY.read(())] * 15)
    design = Design.of(rows, nothing)
    classes = np.repeat(np.arange(3), 5)
    extended = np.concatenate([rows, np.ones((15, 1), dtype=np.float32)], axis=1)
    weights = fit_softmax(design, classes, 3, np.ones(15, dtype=np.float32), 1e-4)
    assert (softmax(extended @ weights).argmax(axis=1) == classes).all()
    target = np.eye(3, dtype=np.float32)[classes]
    yes_no = fit_sigmoids(design, target, np.ones_like(target), 1e-4)
    assert ((extended @ yes_no > 0) == (target == 1)).all()


def test_what_is_learnt_is_added_to_what_was_known() -> None:
    """Where the offset already tells the classes apart, hardly anything is learnt."""
    rows = np.repeat(np.eye(2, dtype=np.float32), 5, axis=0)
    nothing = EMPTY.matrix([EMPTY.read(())] * 10)
    design = Design.of(rows, nothing)
    classes = np.repeat(np.arange(2), 5)
    ones = np.ones(10, dtype=np.float32)
    known = np.asarray(10.0 * np.eye(2)[classes], dtype=np.float32)
    alone = fit_softmax(design, classes, 2, ones, 1e-3)
    added = fit_softmax(design, classes, 2, ones, 1e-3, known)
    assert np.abs(added).max() < 0.05 < np.abs(alone).max()


def test_overconfident_scores_get_a_temperature_above_one() -> None:
    """Half of the answers are wrong, so half is what the scores should say."""
    scores = np.array([[4.0, 0.0]] * 10, dtype=np.float32)
    classes = np.array([0, 1] * 5)
    assert fit_temperature(scores, classes, np.ones(10, dtype=np.float32)) > 2
