"""The categories that products are put into."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.prediction import Category


class ThemeShelves(BaseModel):
    """A theme and the codes that belong to it; null gathers those without one."""

    theme: str | None
    codes: list[str]


class TaxonomyView(BaseModel):
    """All categories in one language, or in whichever each has."""

    model_config = ConfigDict(
        protected_namespaces=(),
        json_schema_extra={
            "examples": [
                {
                    "sha256": "9f2c…",
                    "language": "en",
                    "languages": ["en", "fr"],
                    "model_version": "20261121-162835-ce5d2f",
                    "categories": [{"code": "2583", "label": "pool and spa", "theme": "garden"}],
                    "themes": [{"theme": "garden", "codes": ["2583"]}],
                }
            ]
        },
    )

    sha256: str = Field(description="Of codes, labels and themes; another one means another taxonomy.")
    language: str = Field(description="The language that was asked for.")
    languages: list[str] = Field(description="The languages that labels are there in.")
    model_version: str | None = Field(description="The model whose taxonomy it is; null: it is set.")
    categories: list[Category]
    themes: list[ThemeShelves]
