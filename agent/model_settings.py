"""Settings of the models that write replies and give second opinions."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from handrail.guardrails.detect.labels import ALL_KINDS, GRAVE_KINDS

PREFIX = "HANDRAIL_"

EMBEDDED = "embedded"
"""The model that needs no key: it quotes passages and follows flows."""


class ModelMask(StrEnum):
    """What of the customer's data a model reads as labels such as `[card]`."""

    NONE = "none"
    SECRETS = "secrets"
    ALL = "all"

    @property
    def kinds(self) -> frozenset[str]:
        """The codes of what is masked."""
        return {ModelMask.NONE: frozenset[str](), ModelMask.SECRETS: GRAVE_KINDS, ModelMask.ALL: ALL_KINDS}[self]


def reachable(key: SecretStr | None, found: ValidationInfo) -> SecretStr | None:
    """`key`, unless the model that it is for has no endpoint, neither of its own nor that of the chat model."""
    use = str(found.field_name).removesuffix("_api_key")
    named = found.data.get(f"{use}_model") is not None
    own = (f"{use}_base_url", "model_base_url", "model_api_key")
    if named and key is None and all(found.data.get(name) is None for name in own):
        raise ValueError(f"not set, though {PREFIX}{use.upper()}_MODEL names a model and there is no endpoint for it")
    return key


def within_turn(seconds: float, found: ValidationInfo) -> float:
    """`seconds`, unless a turn is over before."""
    turn = found.data.get("turn_seconds")
    if turn is not None and seconds > turn:
        raise ValueError(f"longer than a turn, which HANDRAIL_TURN_SECONDS limits to {turn:g} seconds")
    return seconds


class ModelSettings(BaseSettings):
    """Which models are asked, where, with which key, and for how long.

    The description of a field completes the sentence "Set it to ...".
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    turn_seconds: float | None = Field(
        None, gt=0, le=120, description="seconds a turn may take, up to 120; without it, the bundle's limit holds."
    )
    model: str = Field(EMBEDDED, min_length=1, description="`embedded`, or a model's name at the endpoint.")
    model_base_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="the endpoint's address, such as https://models.example/v1."
    )
    model_api_key: SecretStr | None = Field(None, validate_default=True, description="the endpoint's key.")
    mask_model_input: ModelMask = Field(
        ModelMask.SECRETS,
        description="`none`, `secrets` or `all`: what a model reads as labels such as [card], in messages and tool "
        "results. `secrets` are card and account numbers, national ids, passwords, keys and codes; "
        "with `all`, no tool gets a name, an address, a phone number or a link from a model.",
    )
    model_timeout: float = Field(15.0, gt=0, le=120, description="seconds one model call may take, within a turn.")
    second_opinion_model: str | None = Field(
        None,
        min_length=1,
        description="the name of a model at the endpoint that is asked about messages that detection cannot place; "
        "without it, nobody is asked.",
    )
    second_opinion_base_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="the address of its endpoint; without it, HANDRAIL_MODEL_BASE_URL."
    )
    second_opinion_api_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="the key of its endpoint; without it, HANDRAIL_MODEL_API_KEY, if the endpoint is the same.",
    )
    second_opinion_timeout_seconds: float = Field(
        2.0, gt=0, le=10, description="seconds a second opinion may take, up to 10; the customer waits meanwhile."
    )
    second_opinion_below: float = Field(
        0.4, ge=0, le=1, description="the confidence, from 0 to 1, below which a second opinion is asked for."
    )

    @field_validator("model_api_key")
    @classmethod
    def _reachable(cls, key: SecretStr | None, found: ValidationInfo) -> SecretStr | None:
        remote = found.data.get("model", EMBEDDED) != EMBEDDED
        if remote and key is None and found.data.get("model_base_url") is None:
            raise ValueError("not set, though HANDRAIL_MODEL names a model and HANDRAIL_MODEL_BASE_URL is not set")
        return key

    @field_validator("second_opinion_model")
    @classmethod
    def _able(cls, name: str | None) -> str | None:
        if name == EMBEDDED:
            raise ValueError("the embedded model has no opinions")
        return name

    _opinion_reachable = field_validator("second_opinion_api_key")(reachable)
    _within_turn = field_validator("model_timeout", "second_opinion_timeout_seconds")(within_turn)

    @property
    def opinion_base_url(self) -> str | None:
        """The endpoint for second opinions: its own, or that of the chat model."""
        return self.second_opinion_base_url or self.model_base_url

    @property
    def opinion_api_key(self) -> SecretStr | None:
        """The key for second opinions. The chat model's key goes to no other endpoint than its own."""
        return self.key_for(self.opinion_base_url, self.second_opinion_api_key)

    def key_for(self, url: str | None, own: SecretStr | None) -> SecretStr | None:
        """The key for the endpoint `url`: its `own`, or the chat model's where it is the chat model's endpoint."""
        return own or (self.model_api_key if url == self.model_base_url else None)
