import numpy as np

from handrail.guardrails.scope import Authority
from handrail.retrieval.calibration import Calibration, Features
from handrail.retrieval.ranking import PER_DOCUMENT, Candidate, choose


def candidate(row: int, doc_id: str, score: float, **changes: object) -> Candidate:
    """A passage unlike all others."""
    vector = np.zeros(64, dtype=np.float32)
    vector[row] = 1.0
    fields = {"authority": Authority.STANDARD, "text": f"text {row}", "vector": vector} | changes
    return Candidate(row=row, doc_id=doc_id, score=score, rank=score, **fields)  # type: ignore[arg-type] # of a test


def test_no_document_crowds_out_the_others() -> None:
    """A long article gives its best passages only."""
    chosen = choose([candidate(row, "long", 0.9 - row / 100) for row in range(9)] + [candidate(9, "short", 0.1)], 5)
    assert [one.doc_id for one in chosen] == ["long"] * PER_DOCUMENT + ["short"]


def test_equal_matches_go_by_authority() -> None:
    """What Fernwell vouches for comes before what a customer posted."""
    chosen = choose([candidate(0, "a", 0.5, authority=Authority.COMMUNITY), candidate(1, "b", 0.5)], 2)
    assert [one.doc_id for one in chosen] == ["b", "a"]


def test_merging_keeps_the_better_passage() -> None:
    """Of two that say the same, the lower one goes."""
    same = {"text": "one two three", "vector": np.eye(64, dtype=np.float32)[5]}
    chosen = choose([candidate(1, "a", 0.4, **same), candidate(2, "b", 0.6, **same)], 2)
    assert [one.doc_id for one in chosen] == ["b"]


def test_scores_are_probabilities_that_grow_with_every_feature() -> None:
    """Better by any measure is never worse in all."""
    steps = np.linspace(0.0, 1.0, 5, dtype=np.float32)
    none = np.zeros(5, dtype=np.float32)
    for place in range(4):
        features = [none] * 4
        features[place] = steps
        scores = Calibration().scores(Features(*features))
        assert (np.diff(scores) > 0).all()
        assert ((scores > 0) & (scores < 1)).all()
