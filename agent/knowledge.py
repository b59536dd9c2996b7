"""The knowledge base as the settings have it: what embeds, and where Chroma is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.agent.settings import Settings
from handrail.guardrails.encoder import MINILM, CachingEmbedder, Embedder

if TYPE_CHECKING:
    from handrail.agent.models.embedding import EmbeddingEndpoint
    from handrail.retrieval.calibration import Calibration
    from handrail.retrieval.chroma_place import ChromaPlace


def question_embedder(settings: Settings) -> Embedder | None:
    """What embeds customers' questions at an endpoint, which reads them masked; None for the local encoder."""
    endpoint = endpoint_of(settings)
    if endpoint is None:
        return None
    from handrail.agent.models.embedding import EndpointEmbedder
    from handrail.guardrails.detect.masking import mask

    kinds = settings.mask_model_input.kinds
    return CachingEmbedder(
        EndpointEmbedder(endpoint, settings.embedding_timeout_seconds, prepare=lambda text: mask(text, kinds))
    )


def article_embedder(settings: Settings) -> Embedder | None:
    """What embeds articles at an endpoint, with the patience of an ingest; None for the local encoder.

    Articles are the company's own and are not masked.
    """
    endpoint = endpoint_of(settings)
    if endpoint is None:
        return None
    from handrail.agent.models.embedding import EndpointEmbedder

    return EndpointEmbedder(endpoint, settings.embedding_ingest_timeout_seconds)


def endpoint_of(settings: Settings) -> EmbeddingEndpoint | None:
    """The endpoint that embeds; None for the local encoder."""
    if settings.embedding_model is None:
        return None
    from handrail.agent.models.embedding import EmbeddingEndpoint

    return EmbeddingEndpoint(
        model=settings.embedding_model,
        base_url=settings.embedding_url,
        key=settings.embedding_key,
        dimensions=settings.embedding_dimensions,
        characters=settings.embedding_characters,
    )


def embedding_name(settings: Settings) -> str:
    """What people call the embedder of these settings, without loading it."""
    endpoint = endpoint_of(settings)
    return MINILM if endpoint is None else endpoint.name


def chroma_of(settings: Settings) -> ChromaPlace:
    """Where the collections are."""
    if settings.chroma_url is None:
        from handrail.retrieval.chroma_place import EmbeddedChroma

        return EmbeddedChroma()
    from handrail.retrieval.chroma_server import ChromaServer

    return ChromaServer(
        url=settings.chroma_url,
        tenant=settings.chroma_tenant,
        database=settings.chroma_database,
        headers=settings.chroma_headers,
        seconds=settings.chroma_timeout_seconds,
    )


def calibration_of(settings: Settings) -> Calibration:
    """What makes a score, and from which one a passage is good enough."""
    from handrail.retrieval.calibration import Calibration

    wanted = settings.passage_threshold
    return Calibration() if wanted is None else Calibration(threshold=wanted)


def remote_seconds(settings: Settings) -> float:
    """Seconds that a search may spend on waiting for other machines: it asks Chroma for neighbours and for records."""
    embedding = 0.0 if settings.embedding_model is None else settings.embedding_timeout_seconds
    return embedding + (0.0 if settings.chroma_url is None else 2 * settings.chroma_timeout_seconds)
