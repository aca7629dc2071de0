"""What producers send: a product with a title, a description, a photo, or any of them."""

from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import SchemaValidator
from pydantic_core import core_schema as core

from schemas.limits import MAX_ATTRIBUTES, MAX_DESCRIPTION_CHARS, MAX_ID_CHARS, MAX_TITLE_CHARS, MAX_URI_CHARS

_INT64 = 2**63


def _blank_is_absent(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _number_is_text(value: Any) -> Any:
    """Catalogues number their products; a boolean is an int to Python and no id to anyone."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _fits_64_bits(value: Any) -> Any:
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise ValueError("a whole number has at most 64 bits")
    return value


# The limits stand inside the union: around it they would be applied to None too, which raises a TypeError.
Title = Annotated[
    Annotated[str, StringConstraints(max_length=MAX_TITLE_CHARS)] | None, BeforeValidator(_blank_is_absent)
]
Description = Annotated[
    Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION_CHARS)] | None, BeforeValidator(_blank_is_absent)
]
Name = Annotated[Annotated[str, StringConstraints(max_length=MAX_ID_CHARS)] | None, BeforeValidator(_blank_is_absent)]
_NUMBER_OR_TEXT = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS, pattern=r"\S")] | int
Identifier = Annotated[
    str,
    BeforeValidator(_number_is_text, json_schema_input_type=_NUMBER_OR_TEXT),
    StringConstraints(min_length=1, max_length=MAX_ID_CHARS, pattern=r"\S"),
]
AttributeName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS)]
AttributeScalar = Annotated[
    Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION_CHARS)] | bool | int | float | None,
    BeforeValidator(_fits_64_bits),
]
AttributeValue = AttributeScalar | Annotated[list[AttributeScalar], Field(max_length=MAX_ATTRIBUTES)]


class Image(BaseModel):
    """A photo by reference (``uri`` below a configured root or in an object store) or in place (``base64``)."""

    model_config = ConfigDict(strict=True, extra="ignore")

    uri: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URI_CHARS)] | None = Field(
        default=None, description="Where it is: below a configured root, or in a configured object store."
    )
    base64: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        default=None, description="The photo itself: a JPEG, PNG or WebP, in base64."
    )
    media_type: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="What the sender takes it for; what it is is read from the photo."
    )

    @model_validator(mode="after")
    def _one_source(self) -> "Image":
        if (self.uri is None) == (self.base64 is None):
            raise ValueError("give the image as either uri or base64")
        return self


class Product(BaseModel):
    """A product to classify. Unknown fields are ignored.

    The marketplace challenge's own names are accepted beside ours: ``productid``, ``designation`` and
    ``imageid`` (which names the file ``image_<imageid>_product_<productid>.jpg`` below the image root).
    """

    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=True, allow_inf_nan=False)

    product_id: Identifier = Field(
        validation_alias=AliasChoices("product_id", "productid"), description="The catalogue's own id of the product."
    )
    title: Title = Field(
        default=None,
        validation_alias=AliasChoices("title", "designation"),
        description="In any language. One of title, description and image is needed.",
    )
    description: Description = Field(default=None, description="In any language; may hold HTML.")
    image: Image | None = Field(default=None, description="Its photo.")
    attributes: Annotated[dict[AttributeName, AttributeValue], Field(max_length=MAX_ATTRIBUTES)] | None = Field(
        default=None, description="What else is known of it; kept, and not used to classify."
    )
    submitted_by: Name = Field(default=None, description="The account that may see what becomes of it.")

    @model_validator(mode="before")
    @classmethod
    def _image_by_challenge_name(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("image") is not None:
            return data
        image_id = _number_is_text(data.get("imageid"))
        if not isinstance(image_id, str) or not image_id.strip():
            return data
        product_id = data.get("product_id", data.get("productid"))
        return data | {"image": {"uri": f"image_{image_id}_product_{product_id}.jpg"}}

    @model_validator(mode="after")
    def _has_content(self) -> "Product":
        if self.title is None and self.description is None and self.image is None:
            raise ValueError("a product needs at least one of title, description and image")
        return self


def read_product(value: bytes) -> Product:
    """What ``Product.model_validate_json`` gives, or raises, in less than half the time for most products.

    Most products say nothing but their id, a title and perhaps a description or the place of a photo. These are
    read without a call back to Python; all others, the bad ones too, go the whole way.

    Raises:
        pydantic.ValidationError: It is no product.
    """
    try:
        product: Product = _USUAL.validate_json(value)
    except ValidationError:
        return Product.model_validate_json(value)
    description = product.description
    if product.title.isspace() or (description is not None and description.isspace()):  # type: ignore[union-attr]
        return Product.model_validate_json(value)
    return product


def _usual() -> SchemaValidator:
    """Accepts a part of what ``Product`` does, as it is: no name but ours, nothing to convert or to drop."""

    def text(longest: int) -> core.CoreSchema:
        return core.str_schema(min_length=1, max_length=longest)

    def optional(schema: core.CoreSchema) -> core.ModelField:
        return core.model_field(core.with_default_schema(core.nullable_schema(schema), default=None))

    absent = optional(core.none_schema())
    image = {
        "uri": core.model_field(text(MAX_URI_CHARS)),
        "base64": absent,
        "media_type": optional(core.str_schema(max_length=100)),
    }
    product = {
        "product_id": core.model_field(core.str_schema(min_length=1, max_length=MAX_ID_CHARS, pattern=r"\S")),
        "title": core.model_field(text(MAX_TITLE_CHARS)),
        "description": optional(text(MAX_DESCRIPTION_CHARS)),
        "image": optional(_model(Image, image)),
        "attributes": absent,
        "submitted_by": absent,
    }
    return SchemaValidator(_model(Product, product))


def _model(kind: type[BaseModel], fields: dict[str, core.ModelField]) -> core.CoreSchema:
    config = core.CoreConfig(strict=True, cache_strings="keys")
    return core.model_schema(kind, core.model_fields_schema(fields, extra_behavior="forbid"), config=config)


_USUAL = _usual()
