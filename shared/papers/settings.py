"""The settings of the workload papers, with their units and defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from shared.platform.settings import Settings, read_settings


class PaperSettings(Settings):
    """For taking papers in, turning them into vectors, and searching them."""

    papers_container: str = Field(
        default="papers", pattern=r"^[a-z0-9](-?[a-z0-9]){2,62}$", description="blob container of the files of papers"
    )
    papers_ingest_seconds: float = Field(
        default=60, ge=1, le=480, description="seconds that an activity reads or merges"
    )
    papers_part_mb: int = Field(default=32, ge=1, le=1000, description="megabytes of a part of a JSONL or Parquet file")
    papers_most_gb: float = Field(default=5, gt=0, le=100, description="gigabytes that a file may have, as stored")
    papers_rejected_limit: float = Field(
        default=0.1, ge=0, le=1, description="share of a file's records over which rejected ones hold it back"
    )
    papers_lost_abstracts_limit: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="share of known papers that would lose their abstract, authors, date, or DOI and arXiv id, over"
        " which a file is held",
    )
    papers_renamed_limit: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of known papers that would change their title over which a file is held",
    )
    papers_embedder: Literal["static", "minilm", "hashing", "openai"] = Field(
        default="static",
        description="what turns texts into vectors: the model that comes along, MiniLM where it is installed, hashed"
        " words, or OpenAI; another one is built beside the one that is searched",
    )
    papers_embed_seconds: float = Field(default=60, ge=1, le=480, description="seconds that an activity embeds")
    papers_index_gb: float = Field(
        default=4,
        ge=0,
        le=1000,
        description="gigabytes that an index of nearest neighbours may take; a larger one is not built",
    )
    papers_missing_vectors_limit: float = Field(
        default=0.001,
        ge=0,
        le=1,
        description="share of the vectors of the version that is searched which a new one may lack to take its place;"
        " one that lacks more is held",
    )
    papers_query_seconds: float = Field(default=10, gt=0, le=60, description="seconds that a search may take")
    papers_openai_endpoint: str = Field(
        default="https://api.openai.com/v1",
        pattern=r"^https?://[A-Za-z0-9./:-]+$",
        description="address of the API of embeddings; at Azure OpenAI https://<resource>.openai.azure.com/openai/v1",
    )
    papers_openai_key: SecretStr | None = Field(
        default=None, description="key of that API; unset: the app's identity, which Azure OpenAI takes"
    )
    papers_openai_model: str = Field(
        default="text-embedding-3-small", max_length=100, description="model, or in Azure the deployment, that embeds"
    )
    papers_openai_dimensions: int = Field(default=512, ge=8, le=3072, description="numbers of a vector of that model")
    papers_openai_dollars_per_million: float = Field(
        default=0.02, ge=0, le=100, description="dollars that a million tokens of that model cost"
    )

    papers_map_sample: int = Field(
        default=20_000,
        ge=50,
        le=200_000,
        description="papers that a map is fitted to; the others are placed among them",
    )
    papers_map_fitter: Literal["auto", "tsne", "pca"] = Field(
        default="auto",
        description="what lays the map out: t-SNE, which wants requirements-fitting.txt, or the two widest directions"
        " of the vectors; auto: t-SNE where it is installed",
    )
    papers_map_fit_seconds: float = Field(default=60, ge=1, le=480, description="seconds that an activity fits a map")
    papers_naming_model: str = Field(
        default="none",
        min_length=1,
        max_length=100,
        description="model, or in Azure the deployment, at PAPERS_OPENAI_ENDPOINT that names the map's regions; none:"
        " their own terms do",
    )
    papers_openai_batch_from: int = Field(
        default=20_000,
        ge=0,
        description="papers without a vector from which on that model gets them in batches, for half the money within a"
        " day; 0: never",
    )
    papers_openai_batch_model: str = Field(
        default="", max_length=100, description="model, or in Azure the deployment, of batches; empty: the same"
    )

    @field_validator("papers_openai_key", mode="before")
    @classmethod
    def _unset(cls, value: object) -> object:
        # A vault holds no empty secret, so that one which nobody has chosen says so.
        return None if value == "unset" else value


def settings() -> PaperSettings:
    """The workload's settings. Raises TerminalError as `read_settings`."""
    return read_settings(PaperSettings)
