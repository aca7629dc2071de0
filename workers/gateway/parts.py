"""What the routes work with."""

from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from infra.health import Health
from infra.images import ImageStore
from infra.photos import Photos
from infra.settings import Settings
from infra.store import Store
from model.shelves import TaxonomyInForce
from workers.gateway.items.find import Items
from workers.gateway.operation.operation import Operation
from workers.gateway.review.reviewing import Reviewing
from workers.gateway.road.past import Past
from workers.gateway.road.submit import Road


@dataclass(frozen=True)
class Parts:
    """The parts of a running gateway.

    Args:
        settings: What is in force.
        store: Where items, accounts and everything else is; may be away at any time.
        road: Publishes products and waits for answers.
        images: The image store.
        photos: Reads photos from there and from below the configured roots.
        health: What the gateway waits for.

    ``operation`` is what the routes of an operator share, ``review`` those of reviewers, ``shelves`` the taxonomy that
    verdicts are held to.
    """

    settings: Settings
    store: Store
    road: Road
    images: ImageStore
    photos: Photos
    health: Health
    operation: Operation = field(init=False)
    shelves: TaxonomyInForce = field(init=False)
    items: Items = field(init=False)
    past: Past = field(init=False)
    review: Reviewing = field(init=False)

    def __post_init__(self) -> None:
        """Make what routes share."""
        object.__setattr__(self, "operation", Operation(self.settings, self.store, self.road.answers))
        object.__setattr__(self, "shelves", TaxonomyInForce(self.settings))
        object.__setattr__(self, "items", Items(self.store, self.shelves, self.settings))
        object.__setattr__(self, "past", Past(self.store, self.shelves.category))
        object.__setattr__(self, "review", Reviewing(self.store, self.shelves, self.road))


def _parts(request: Request) -> Parts:
    return cast(Parts, request.app.state.parts)


PartsOf = Annotated[Parts, Depends(_parts)]
"""Gives a route the parts."""
