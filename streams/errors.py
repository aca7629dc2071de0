"""Why an event, or a whole worker, could not go on."""

from schemas.errors import AisleError


class RecordEmpty(AisleError):
    """A record without a value, which is no product and no feedback."""

    code = "record-empty"


class RecordTooLarge(AisleError):
    """A record larger than its topic's contract allows, once decompressed."""

    code = "record-too-large"


class RecordInvalid(AisleError):
    """A record whose value does not follow the contract."""

    code = "record-invalid"


class EventPoisonous(AisleError):
    """An event that makes the model fail, while the model answers others."""

    code = "event-poisonous"


class EventFatal(AisleError):
    """An event that ended the process again and again, and is not touched any more."""

    code = "event-fatal"


class ModelFailed(AisleError):
    """The model fails on an event that it is known to answer: the fault is the model's, not the event's."""

    code = "model-failed"


class ModelHung(AisleError):
    """The model did not answer within its deadline."""

    code = "model-hung"


class WorkerStuck(AisleError):
    """A worker that no longer moves, in a way that only a restart helps."""

    code = "worker-stuck"
    retryable = True


class NotDrained(AisleError):
    """A worker that was told to stop and could not finish what it had in hand in time."""

    code = "not-drained"
    retryable = True


class FencedInstanceId(AisleError):
    """Another process has taken this worker's place in its group, under the same instance id."""

    code = "fenced-instance-id"


class ChallengerChanged(AisleError):
    """A shadow worker's model is not the one to be tried any more."""

    code = "challenger-changed"
    retryable = True


class ChallengerUnusable(AisleError):
    """A model that is to be tried in the shadow and cannot be loaded."""

    code = "challenger-unusable"
    retryable = True


class ReplayUnknown(AisleError):
    """No replay, or more than one, has an id that begins as was said, or its file was damaged."""

    code = "replay-unknown"


class ReplayChanged(AisleError):
    """What a replay read is not what it was when it began."""

    code = "replay-changed"
