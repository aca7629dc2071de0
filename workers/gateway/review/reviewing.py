"""What the routes of reviewers share in one process."""

from infra.store import Store
from model.shelves import TaxonomyInForce
from workers.gateway.review.claims import Claims
from workers.gateway.review.publish import Publisher
from workers.gateway.review.queue import ReviewQueue
from workers.gateway.review.verdicts import Verdicts
from workers.gateway.road.submit import Road


class Reviewing:
    """Made once for each gateway.

    Args:
        store: Where items, claims and the audit log are.
        shelves: The taxonomy that verdicts are held to.
        road: Has the producer.
    """

    def __init__(self, store: Store, shelves: TaxonomyInForce, road: Road) -> None:
        self.claims = Claims(store)
        self.queue = ReviewQueue(store, self.claims)
        self.verdicts = Verdicts(store, self.claims, shelves, Publisher(road))
