"""Settings of retrieval: what embeds, where Chroma is, and what is good enough."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from handrail.agent.model_settings import EMBEDDED, ModelSettings, reachable, within_turn
from handrail.agent.setting_kinds import Headers
from handrail.guardrails.encoder import MAX_CHARACTERS

_CHROMA_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$"


class RetrievalSettings(ModelSettings):
    """What embeds passages and questions, and where their collections are; an endpoint may be that of the models."""

    embedding_model: str | None = Field(
        None,
        min_length=1,
        description="the name of an embedding model at an endpoint; without it, passages and questions are embedded "
        "here, by the local encoder.",
    )
    embedding_base_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="the address of its endpoint; without it, HANDRAIL_MODEL_BASE_URL."
    )
    embedding_api_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="the key of its endpoint; without it, HANDRAIL_MODEL_API_KEY, if the endpoint is the same.",
    )
    embedding_dimensions: int | None = Field(
        None, ge=8, le=8_192, description="the length of vectors to ask for; without it, the model's own is taken."
    )
    embedding_characters: int = Field(
        MAX_CHARACTERS,
        ge=200,
        le=MAX_CHARACTERS,
        description=f"how many characters of a text the model gets, from 200 to {MAX_CHARACTERS:,}; the rest is cut.",
    )
    embedding_timeout_seconds: float = Field(
        2.5,
        gt=0,
        le=10,
        description="seconds that embedding a question may take, up to 10; the customer waits meanwhile.",
    )
    embedding_ingest_timeout_seconds: float = Field(
        60.0,
        gt=0,
        le=600,
        description="seconds that one request of an ingest may take with all its attempts, up to 600.",
    )
    passage_threshold: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="the score, between 0 and 1, from which a passage is good enough to answer from; an ingest puts it "
        "into the base. Without it, the one that was fitted to the local encoder holds.",
    )
    chroma_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
        description="the address of a Chroma server, such as http://chroma.example:8000; without it, Chroma is "
        "embedded and keeps its files in the data folder.",
    )
    chroma_tenant: str = Field("default_tenant", pattern=_CHROMA_NAME, description="a tenant's name on that server.")
    chroma_database: str = Field("default_database", pattern=_CHROMA_NAME, description="a database's name there.")
    chroma_headers: Headers = Field(
        default_factory=dict,
        description='a table of headers that go with every request to it, as in {"x-chroma-token": "..."} or '
        '{"Authorization": "Bearer ..."}.',
    )
    chroma_timeout_seconds: float = Field(
        2.0, gt=0, le=10, description="seconds that one request of a search may take, up to 10; the customer waits."
    )

    @field_validator("embedding_model")
    @classmethod
    def _remote(cls, name: str | None) -> str | None:
        if name == EMBEDDED:
            raise ValueError("leave it out for the local encoder")
        return name

    _embedding_reachable = field_validator("embedding_api_key")(reachable)
    _search_within_turn = field_validator("embedding_timeout_seconds", "chroma_timeout_seconds")(within_turn)

    @property
    def embedding_url(self) -> str | None:
        """The endpoint for embeddings: its own, or that of the chat model."""
        return self.embedding_base_url or self.model_base_url

    @property
    def embedding_key(self) -> SecretStr | None:
        """The key for embeddings. The chat model's key goes to no other endpoint than its own."""
        return self.key_for(self.embedding_url, self.embedding_api_key)
