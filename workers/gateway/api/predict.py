"""Classifying one product: as JSON, or as a form with its photo."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Form, Header, Path, Query, Response, UploadFile
from pydantic import ValidationError
from starlette.convertors import Convertor, register_url_convertor
from starlette.status import HTTP_202_ACCEPTED

from infra.metrics.gateway import PREDICT_TOOK
from schemas.http.explanation import ExplainedPrediction
from schemas.http.predict import Pending, PredictRequest
from schemas.ids import EventId
from schemas.limits import MAX_ID_CHARS
from schemas.prediction import Prediction
from schemas.product import Product
from workers.gateway.access import Customer, Principal
from workers.gateway.errors import Busy, NotFound, Unprocessable
from workers.gateway.explanations import explain as explanation_of
from workers.gateway.items.photo import may_name_photos
from workers.gateway.parts import Parts, PartsOf
from workers.gateway.problems import PROBLEMS, RETRY_AFTER_S
from workers.gateway.road.submit import event_id_of
from workers.gateway.road.uploads import keep_photo, kept

PATH: Final = "/api/v1/predictions"


class _Event(Convertor[str]):
    """The form of an event id in a path, so that no other word below the same path is taken for one."""

    regex = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"

    def convert(self, value: str) -> str:
        """As it stands."""
        return value

    def to_string(self, value: str) -> str:
        """As it stands."""
        return value


register_url_convertor("event", _Event())
router = APIRouter(prefix=PATH, tags=["predict"], responses=PROBLEMS)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=MAX_ID_CHARS,
        pattern=r"^[\x21-\x7e]+$",
        description="Names this product's event: sent again with the same key, it is classified once.",
    ),
]
Explain = Annotated[
    bool, Query(description="Add which words and n-grams spoke for the category, by the first stage's weights.")
]
Answer = ExplainedPrediction | Prediction | Pending
_LATE: Final[dict[int | str, dict[str, Any]]] = {
    HTTP_202_ACCEPTED: {"model": Pending, "description": "It takes longer; the link will have the prediction."}
}


@router.post("", responses=_LATE, summary="Classify a product")
async def predict(
    response: Response,
    body: PredictRequest,
    who: Customer,
    parts: PartsOf,
    idempotency_key: IdempotencyKey = None,
    explain: Explain = False,
) -> Answer:
    """Publish a product and answer with its prediction.

    A product that cannot be classified gives 422 with the reason.
    """
    image = await kept(parts.images, body.image, may_name=may_name_photos(who, parts.settings))
    fields = body.model_dump(exclude={"image"}) | {"image": image}
    return await _classify(_Asked(parts, who, fields, idempotency_key, explain), response)


@router.post("/upload", responses=_LATE, summary="Classify a product with its photo")
async def upload(
    response: Response,
    who: Customer,
    parts: PartsOf,
    image: Annotated[UploadFile | None, File(description="A JPEG, PNG or WebP.")] = None,
    product_id: Annotated[str | None, Form()] = None,
    title: Annotated[str | None, Form()] = None,
    description: Annotated[str | None, Form()] = None,
    idempotency_key: IdempotencyKey = None,
    explain: Explain = False,
) -> Answer:
    """The same, of a form."""
    content = await image.read() if image is not None else b""
    fields = {
        "product_id": product_id or None,
        "title": title,
        "description": description,
        "image": await keep_photo(parts.images, content) if content else None,
    }
    return await _classify(_Asked(parts, who, fields, idempotency_key, explain), response)


@router.get("/{event_id:event}", responses=_LATE, summary="The prediction of an event")
async def prediction(
    response: Response,
    event_id: Annotated[EventId, Path(description="As it was given by the answer 202.")],
    who: Customer,
    parts: PartsOf,
    explain: Explain = False,
) -> Answer:
    """What became of a product that was submitted before.

    An explanation that is asked for is missing until the product itself is in the store, and while too many are.
    """
    mine = parts.road.submitted_by(event_id) == who.name
    found = parts.road.answered(event_id) if mine else None
    if found is None:
        look = parts.past.if_there if mine else parts.past.of
        past = await look(event_id, who)
        if past is None and not mine:
            raise NotFound("No product was submitted under this id.")
        found = None if past is None else past.prediction()
    if found is None:
        return _pending(response, event_id)
    if not explain:
        return found
    past = await parts.past.if_there(event_id, who)
    texts = None if past is None else past.texts()
    return found if texts is None else await _explained(parts, found, *texts)


@dataclass(frozen=True, slots=True)
class _Asked:
    parts: Parts
    who: Principal
    fields: dict[str, Any]
    key: str | None
    explain: bool


async def _classify(asked: _Asked, response: Response) -> Answer:
    parts, who = asked.parts, asked.who
    event_id = event_id_of(who.name, asked.key)
    product = _product(asked.fields | {"submitted_by": who.name, "product_id": asked.fields["product_id"] or event_id})
    with PREDICT_TOOK.time():
        found = await _prediction_of(asked, product, event_id)
    if found is None:
        return _pending(response, event_id)
    return await _explained(parts, found, product.title, product.description) if asked.explain else found


async def _prediction_of(asked: _Asked, product: Product, event_id: str) -> Prediction | None:
    parts, past = asked.parts, None
    if asked.key is not None and parts.road.submitted_by(event_id) is None:
        past = await parts.past.if_there(event_id, asked.who)
    if past is not None:
        past.check_same(product)
        if (known := past.prediction()) is not None:
            return known
    return await parts.road.classify(product, event_id, parts.settings.gateway_answer_s, published=past is not None)


async def _explained(parts: Parts, found: Prediction, title: str | None, description: str | None) -> Prediction:
    try:
        explanation = await explanation_of(parts, found, title, description)
    except Busy:  # the prediction is there, and its explanation can be asked for by itself
        return found
    return ExplainedPrediction(**dict(found), explanation=explanation)


def _product(fields: dict[str, Any]) -> Product:
    try:
        return Product(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        raise Unprocessable(f"{where}: {what}." if where else f"{what[:1].upper()}{what[1:]}.") from error


def _pending(response: Response, event_id: str) -> Pending:
    link = f"{PATH}/{event_id}"
    response.status_code = HTTP_202_ACCEPTED
    response.headers["Location"] = link
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return Pending(event_id=event_id, link=link)
