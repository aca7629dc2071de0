"""What can go wrong with a command that did its work: its result is not what was asked for."""

from schemas.errors import AisleError


class ProductsRefused(AisleError):
    """Products of a file are larger than a record may be."""

    code = "products-refused"


class SumsDisagree(AisleError):
    """What came out of the demo is not what went in."""

    code = "sums-disagree"


class DeadLetterUnknown(AisleError):
    """No dead letter, or more than one, has an event id that begins as was said."""

    code = "dead-letter-unknown"


class LettersRefused(AisleError):
    """Dead letters that were to be retried or dropped, and were not."""

    code = "letters-refused"


class EventUnknown(AisleError):
    """No item, or more than one, has an event id that begins as was said."""

    code = "event-unknown"


class FeedbackRefused(AisleError):
    """Verdicts that were to be sent, and were not."""

    code = "feedback-refused"


class AccuracyTooLow(AisleError):
    """Fewer answers are right than were asked for, beyond chance."""

    code = "accuracy-too-low"


class TopicRefused(AisleError):
    """A topic that only aisle itself writes to."""

    code = "topic-refused"


class NothingToCompare(AisleError):
    """No product was answered by both."""

    code = "nothing-to-compare"
