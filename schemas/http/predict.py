"""Having products classified over HTTP."""

from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from schemas.limits import MAX_ATTRIBUTES
from schemas.product import AttributeName, AttributeValue, Description, Identifier, Image, Title


class PredictRequest(BaseModel):
    """A product: at least one of title, description and image. Without a product_id it gets one of its own."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {"title": "Lampe de chevet en bois, abat-jour blanc"},
                {
                    "product_id": "B-2291",
                    "title": "Perceuse visseuse 18 V",
                    "description": "Avec deux batteries et une mallette.",
                    "image": {"uri": "photos/b-2291.jpg"},
                },
            ]
        },
    )

    product_id: Identifier | None = Field(default=None, validation_alias=AliasChoices("product_id", "productid"))
    title: Title = Field(default=None, validation_alias=AliasChoices("title", "designation"))
    description: Description = None
    image: Image | None = None
    attributes: Annotated[dict[AttributeName, AttributeValue], Field(max_length=MAX_ATTRIBUTES)] | None = None


class Pending(BaseModel):
    """A product whose prediction has not come yet."""

    event_id: str = Field(description="Names the product's event from now on.")
    status: str = Field(default="pending", pattern="^pending$")
    link: str = Field(description="Where the prediction will be.", examples=["/api/v1/predictions/6f1c…"])
