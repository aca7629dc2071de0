"""``aisle classify``: ask the model without Kafka, one title or a stream of JSON lines."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

if TYPE_CHECKING:
    from infra.settings import Settings
    from model.classifier import Classification, Classifier
    from schemas.prediction import ModelRef
    from schemas.product import Product
    from streams.photos import PhotoReader

_BATCH = 128
_BAR = 30


@click.command()
@click.argument("title", required=False)
@click.option("--description", help="The product's description.")
@click.option("--image", type=click.Path(path_type=Path), help="A photo of the product.")
@click.option("--model", type=click.Path(path_type=Path), help="A bundle; default: AISLE_MODEL, else the champion.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    *, title: str | None, description: str | None, image: Path | None, model: Path | None, as_json: bool
) -> None:
    """Classify one product by its TITLE, or JSON lines from standard input.

    Each line of input is a product as on products.in; product_id may be left
    out. Each answer is one JSON line. A line that is no product is named on
    standard error, and the exit status is then 1. Photos are read as workers
    read them: from AISLE_IMAGE_ROOTS, or in the line itself.
    """
    from infra.settings import load_settings
    from model.champion import find_bundle

    one = title is not None or description is not None or image is not None
    if not one and sys.stdin.isatty():
        raise click.UsageError("Give a TITLE, or pipe products as JSON lines.")
    settings = load_settings()
    bundle = find_bundle(model or settings.model, settings.data_dir / "models")
    if one:
        product = _parse({"title": title, "description": description, "image": _in_place(image)}, 1)
        _answer_one(_load(bundle, settings), product, as_json=as_json)
    elif _answer_lines(_load(bundle, settings), sys.stdin.buffer):
        sys.exit(1)


@dataclass(frozen=True)
class _Model:
    """The classifier, and who reads photos for it; nobody where it does not look at them."""

    classifier: "Classifier"
    photos: "PhotoReader | None"

    def classify(self, products: "list[Product]") -> "list[Classification]":
        """The answers; no more photos are in memory at a time than in a worker."""
        import asyncio

        from streams.photos import parts

        if self.photos is None:
            return self.classifier.classify(products)
        answers: list[Classification] = []
        for part in parts([product.image for product in products]):
            some = products[part]
            answers += self.classifier.classify(some, asyncio.run(self.photos.read(some)))
        return answers


def _load(bundle: Path, settings: "Settings") -> _Model:
    from model.classifier import Classifier
    from streams.photos import PhotoReader

    classifier = Classifier.load(bundle, language=settings.language)
    return _Model(classifier, PhotoReader.of(settings) if classifier.reads_photos else None)


def _in_place(image: Path | None) -> dict[str, str] | None:
    """A photo as a product carries it."""
    from base64 import b64encode

    try:
        return None if image is None else {"base64": b64encode(image.read_bytes()).decode()}
    except OSError as error:
        raise click.ClickException(f"{image} cannot be read: {error.strerror}.") from error


def _answer_one(model: _Model, product: "Product", *, as_json: bool) -> None:
    answer = model.classify([product])[0]
    ref = model.classifier.ref
    if as_json:
        click.echo(_line(answer, product, ref))
        return
    width = max(len(_short(category.label)) for category, _ in answer.top)
    for number, (category, probability) in enumerate(answer.top):
        bar = "█" * round(probability * _BAR)
        text = f"{_short(category.label):{width}}  {probability:6.1%}  {bar}"
        click.echo(click.style(text, bold=number == 0))
    said = "needs review" if answer.needs_review else "sure enough to need no review"
    click.echo(f"\n{said}; {ref.name} {ref.version}")
    for note in answer.notes:
        click.echo(note)


def _answer_lines(model: _Model, lines: BinaryIO) -> int:
    """Answer every line that is a product, and return how many were not."""
    bad = 0
    for batch in _batches(lines):
        products = []
        for number, line in batch:
            try:
                products.append(_parse(line, number))
            except click.ClickException as error:
                bad += 1
                click.echo(click.style("error: ", fg="red", bold=True) + error.message, err=True)
        for product, answer in zip(products, model.classify(products), strict=True):
            click.echo(_line(answer, product, model.classifier.ref))
    return bad


def _batches(lines: BinaryIO) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            batch.append((number, line))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _parse(given: bytes | dict[str, Any], number: int) -> "Product":
    """A product from a JSON line, or from the command's own arguments.

    Raises:
        click.ClickException: It is none; the message names the line.
    """
    import orjson
    from pydantic import ValidationError

    from schemas.product import Product

    try:
        value: Any = orjson.loads(given) if isinstance(given, bytes) else given
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"Line {number} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise click.ClickException(f"Line {number} is JSON, but not an object.")
    if not value.keys() & {"product_id", "productid"}:
        value["product_id"] = f"line-{number}"
    try:
        return Product.model_validate({name: part for name, part in value.items() if part is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "".join(f"{part}: " for part in first["loc"])
        raise click.ClickException(
            f"Line {number} is no product: {where}{first['msg'].removeprefix('Value error, ')}."
        ) from None


def _line(answer: "Classification", product: "Product", ref: "ModelRef") -> bytes:
    import orjson

    parts = {part.name: getattr(answer, part.name) for part in fields(answer)}
    parts["top"] = [
        {"code": category.code, "label": category.label, "probability": share} for category, share in answer.top
    ]
    return orjson.dumps(
        {"product_id": product.product_id, **parts, "model": ref}, default=lambda model: model.model_dump()
    )


def _short(label: str) -> str:
    return label if len(label) <= 36 else label[:35] + "…"
