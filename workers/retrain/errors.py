"""What can go wrong with a retraining run."""

from schemas.errors import AisleError


class NothingInService(AisleError):
    """There is no champion that a new model could follow on."""

    code = "nothing-in-service"


class TrainingEnded(AisleError):
    """The process of a training ended before it was done; another try may help."""

    code = "training-ended"
    retryable = True


class TrainingFailed(AisleError):
    """A training that no other try helps."""

    code = "training-failed"


class RunUnknown(AisleError):
    """No run has that number."""

    code = "run-unknown"


class TrainingGivenUp(AisleError):
    """The process of a training was ended again and again."""

    code = "training-given-up"


class RunEnded(AisleError):
    """A run that has ended cannot be ended again."""

    code = "run-ended"
