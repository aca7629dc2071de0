"""What can go wrong with training sets."""

from schemas.errors import AisleError


class BaseMissing(AisleError):
    """Nobody kept the rows that a model was trained on first."""

    code = "base-missing"


class BaseDamaged(AisleError):
    """The rows that a model was trained on first are not what was written."""

    code = "base-damaged"


class SetUnknown(AisleError):
    """No training set, or more than one, has a version that begins as was said."""

    code = "set-unknown"


class SetChanged(AisleError):
    """A training set cannot be made again as it was: what it was made from is gone, or is something else now."""

    code = "set-changed"


class SetForgotten(SetChanged):
    """Rows of a training set were forgotten by request."""

    code = "set-forgotten"
