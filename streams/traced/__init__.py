"""Spans for what agents do, put around their parts where tracing is on; off, each part is what it was.

The modules of this folder import OpenTelemetry, and nothing but the functions here imports them.
"""

from typing import TYPE_CHECKING, Any

from infra.settings import Settings
from infra.tracing import tracing
from model.classifier import Classifier
from streams.photos import PhotoReader

if TYPE_CHECKING:
    from infra.kafka.producer import Deliverer
    from streams.commit import Stage


def classifier_class() -> type[Classifier]:
    """What a bundle is loaded as."""
    if tracing() is None:
        return Classifier
    from streams.traced.model import TracedClassifier

    return TracedClassifier


def photo_reader(settings: Settings) -> PhotoReader:
    """What reads photos; raises as `PhotoReader.of`."""
    if tracing() is None:
        return PhotoReader.of(settings)
    from streams.traced.parts import TracedPhotos

    return TracedPhotos.of(settings)


def sender(producer: "Deliverer") -> "Deliverer":
    """What sends the records of an agent."""
    if tracing() is None:
        return producer
    from streams.traced.parts import TracedProducer

    return TracedProducer(producer)


def classify_stage(stage: "Stage[Any, Any]") -> "Stage[Any, Any]":
    """The classify agent's stage. An event that comes without a trace gets one, as often as is sampled."""
    if (on := tracing()) is None:
        return stage
    from streams.traced.model import tell_answers
    from streams.traced.stage import TracedStage

    return TracedStage(stage, on, "classify", begins=True, told=tell_answers)


def archive_stage(stage: "Stage[Any, Any]") -> "Stage[Any, Any]":
    """The archive agent's stage. It begins no trace: classify has begun those that are to be."""
    if (on := tracing()) is None:
        return stage
    from streams.traced.stage import TracedStage

    return TracedStage(stage, on, "archive")
