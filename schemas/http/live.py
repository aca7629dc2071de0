"""Predictions as they come, over HTTP."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.prediction import Category, ModelRef, Prediction
from schemas.time import Instant


class LivePrediction(BaseModel):
    """What the feed tells of a prediction."""

    event_id: str
    product_id: str
    category: Category
    confidence: float
    needs_review: bool
    decided_by: str
    model: ModelRef
    classified_at: Instant

    @classmethod
    def of(cls, prediction: Prediction) -> "LivePrediction":
        """The part of a prediction that the feed tells."""
        return cls.model_validate(prediction, from_attributes=True)


class LiveMessage(BaseModel):
    """The data of an event `prediction` of the stream."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "prediction": {
                        "event_id": "0b8e0000-0000-4000-8000-000000000001",
                        "product_id": "B-2291",
                        "category": {"code": "2583", "label": "pool and spa", "theme": "garden"},
                        "confidence": 0.93,
                        "needs_review": False,
                        "decided_by": "text",
                        "model": {"name": "aisle", "version": "20261121-162835-ce5d2f"},
                        "classified_at": "2026-11-22T06:12:33.104Z",
                    },
                    "passed_over": 12,
                }
            ]
        }
    )

    prediction: LivePrediction
    passed_over: int = Field(description="Predictions since the one before that came too fast to be told.")
