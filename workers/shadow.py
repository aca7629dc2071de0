"""What a model in the shadow has shown beside the one in service, out of the store, and what follows from it."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from infra.logging import get_logger
from infra.scan import scan
from infra.settings import Settings
from infra.store import ITEMS, SHADOW, Document, Store
from model.errors import BundleInvalid, PromotionRefused
from model.shadow import Pair, ShadowFigures, ShadowVerdict, figures_of, verdict_of
from schemas.prediction import REVIEWER
from workers.promotion import InForce, promote_bundle

_BEFORE: Final = timedelta(hours=1)  # how long before the one in the shadow the one in service may have answered
_SCORE: Final = ("event_id", "score.category.code", "score.confidence", "score.scored_at")
_ITEM: Final = (
    *("prediction.category.code", "prediction.confidence", "prediction.decided_by"),
    *("verdict.verdict", "verdict.code", "verdict.at"),
)

logger = get_logger(__name__)


async def promote_better(settings: Settings, store: Store, now: InForce) -> bool:
    """Put the challenger in service if people's verdicts say that it is better, and the settings that this is enough.

    Args:
        settings: ``shadow_promote_after`` and what a promotion needs are used.
        store: Where predictions, verdicts and the answers in the shadow are.
        now: What is decided.

    Returns:
        Whether it was put in service.

    Raises:
        StoreUnavailable: The store is away.
        StoreRefused: It does not let us in.
    """
    after, served, tried = settings.shadow_promote_after, now.event, now.challenger
    if after is None or served is None or tried is None:
        return False
    champion, challenger = served.model.version, tried.model.version
    if (served.previous == challenger or challenger in now.made) and tried.at < served.at:
        return False  # it was in service and was taken out; who puts it in the shadow anew asks again
    verdict = await shadow_verdict(store, champion, challenger, after)
    if not verdict.better:
        logger.debug("challenger stays in the shadow", version=challenger, why=verdict.why)
        return False
    bundle = settings.data_dir / "models" / challenger
    why = f"in the shadow of {champion}: {verdict.why}"
    try:
        await asyncio.to_thread(promote_bundle, settings, bundle, by="aisle shadow", why=why, expected=champion)
    except (PromotionRefused, BundleInvalid) as error:
        logger.warning("challenger not put in service", version=challenger, why=error.message)
        return False
    logger.info("challenger put in service", version=challenger, before=champion, why=verdict.why)
    return True


async def shadow_figures(store: Store, champion: str, challenger: str) -> ShadowFigures | None:
    """The comparison of two versions; None where there is no product that both answered.

    Raises:
        StoreUnavailable: The store is away.
        StoreRefused: It does not let us in.
    """
    return figures_of(await shadow_pairs(store, champion, challenger))


async def shadow_verdict(store: Store, champion: str, challenger: str, after: int) -> ShadowVerdict:
    """Whether the challenger is better than the champion by what people said; see `model.shadow.verdict_of`.

    Args:
        store: Where predictions, verdicts and the answers in the shadow are.
        champion: Its version.
        challenger: The other's.
        after: How many verdicts it takes at least.

    Raises:
        StoreUnavailable: The store is away.
        StoreRefused: It does not let us in.
    """
    return verdict_of(await shadow_pairs(store, champion, challenger), after)


async def shadow_pairs(store: Store, champion: str, challenger: str) -> list[Pair]:
    """What both versions said of the products that both answered.

    A product whose content a person had decided before is none of them: there the person answered.

    Raises:
        StoreUnavailable: The store is away.
        StoreRefused: It does not let us in.
    """
    tried: dict[str, tuple[str, float]] = {}
    since: datetime | None = None
    async for document in scan(store, SHADOW, {"version": challenger}, _SCORE):
        score = document["score"]
        tried[document["event_id"]] = (score["category"]["code"], score["confidence"])
        since = min(since or score["scored_at"], score["scored_at"])
    if since is None:
        return []
    # One scan: looked up one by one, or by lists of ids, the embedded store would scan for each.
    served = {"prediction.model.version": champion, "prediction.classified_at": {"$gte": since - _BEFORE}}
    return [
        _pair(item, *tried[item["_id"]])
        async for item in scan(store, ITEMS, served, _ITEM)
        if item["_id"] in tried and item["prediction"]["decided_by"] != REVIEWER
    ]


def _pair(item: Document, challenger: str, challenger_sure: float) -> Pair:
    prediction, verdict = item["prediction"], item.get("verdict", {})
    code = prediction["category"]["code"]
    truth = {"validated": code, "corrected": verdict.get("code")}.get(verdict.get("verdict", ""))
    judged_at = None if truth is None else verdict["at"]
    return Pair(code, challenger, prediction["confidence"], challenger_sure, truth, judged_at)
