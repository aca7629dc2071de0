"""Why a product is of a category, in the words of its title and description."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.prediction import Category, ModelRef, Prediction

TermField = Literal["title", "description"]


class TextSpan(BaseModel):
    """A part of a text, in Unicode code points: the first, and the one behind the last."""

    start: int
    end: int


class Term(BaseModel):
    """A word, or two neighbours, or what a text begins with, and what it adds to the category's score."""

    text: str
    kind: Literal["word", "pair", "start"]
    field: TermField
    contribution: float = Field(description="Above 0 it speaks for the category, below 0 against it.")
    spans: list[TextSpan] = Field(description="Where it stands in the text as it came.")


class Ngram(BaseModel):
    """A feature, summed over the words and views that have it; a blank at an end is the edge of a word."""

    text: str
    kind: Literal["words", "stems", "chars", "pairs", "start"]
    field: TermField
    contribution: float


class Explanation(BaseModel):
    """What the first stage's weights say. The terms, the rest and the bias add up to the score."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": {"name": "aisle", "version": "20261121-162835-ce5d2f"},
                    "stage": "text",
                    "category": {"code": "tools", "label": "Tools", "theme": "Garden and home"},
                    "agrees": True,
                    "score": 1.21,
                    "bias": -0.52,
                    "cut": [],
                    "terms": [
                        {
                            "text": "perceuse",
                            "kind": "word",
                            "field": "title",
                            "contribution": 1.1,
                            "spans": [{"start": 0, "end": 8}],
                        }
                    ],
                    "rest": 0.63,
                    "ngrams": [{"text": "perc", "kind": "chars", "field": "title", "contribution": 0.21}],
                }
            ]
        }
    )

    model: ModelRef
    stage: str = Field(description="The stage whose weights these are: the first, which every product goes through.")
    category: Category
    agrees: bool = Field(description="Whether this stage by itself would have given this category.")
    score: float = Field(description="What the stage says of the category, before the softmax.")
    bias: float = Field(description="What it would say of an empty product.")
    cut: list[TermField] = Field(
        default=[],
        description="Texts that go on behind what a model reads: of a title 1,000 characters, of a description 3,000. "
        "The rest decides nothing, and is not explained.",
    )
    terms: list[Term] = Field(description="Those that add or take most, the most first; 40 at most.")
    rest: float = Field(description="What all other terms add together.")
    ngrams: list[Ngram] = Field(description="The features that add or take most, 40 at most; part of the terms.")


class Explained(BaseModel):
    """The explanation of an item."""

    explanation: Explanation | None = Field(
        description="Null: the model's bundle is not on this machine, or it has no stage that can be taken apart."
    )


class ExplainedPrediction(Prediction):
    """A prediction with its explanation."""

    explanation: Explanation | None = Field(
        description="Null: the product has no text, the model's bundle is not on this machine, or it has no stage "
        "that can be taken apart."
    )
