"""What can go wrong with the ground aisle stands on: settings, disk, broker, store."""

from schemas.errors import AisleError


class SettingsInvalid(AisleError):
    """A setting has a value that cannot be used."""

    code = "settings-invalid"
    exit_status = 2


class BrokerUnavailable(AisleError):
    """No Kafka broker answers at the configured address."""

    code = "broker-unavailable"
    retryable = True


class BrokerRefused(BrokerUnavailable):
    """A broker is there and does not let us in, or is not who it should be: until settings or broker change."""

    code = "broker-refused"
    retryable = False


class StoreUnavailable(AisleError):
    """No MongoDB server answers at the configured address."""

    code = "store-unavailable"
    retryable = True


class PortTaken(AisleError):
    """A port that aisle was told to listen on is in use."""

    code = "port-taken"


class ServiceFailed(AisleError):
    """A local service did not start, or ended by itself."""

    code = "service-failed"


class TopicMissing(AisleError):
    """A topic that aisle needs does not exist, or has the wrong shape."""

    code = "topic-missing"


class PartitionMissing(TopicMissing):
    """A topic that aisle publishes to lacks the partition of a record's number."""

    code = "partition-missing"


class TopicRemade(TopicMissing):
    """A topic was deleted and made anew while a worker read it: its offsets mean nothing any more."""

    code = "topic-remade"
    retryable = True


class GrowthRefused(AisleError):
    """A topic cannot get the number of partitions that was asked for."""

    code = "growth-refused"


class DeliveryFailed(AisleError):
    """The brokers refused a record, or did not acknowledge it in time."""

    code = "delivery-failed"
    retryable = True


class StoreRefused(AisleError):
    """The store refused a command for a reason that a retry will not mend, such as a missing right."""

    code = "store-refused"


class StoreTooNew(AisleError):
    """A newer release has written the store."""

    code = "store-too-new"


class BackupInvalid(AisleError):
    """A folder is no backup, or not what was written."""

    code = "backup-invalid"


class NotEmpty(AisleError):
    """A place that something is to be put into has something already."""

    code = "not-empty"


class RestoreFailed(AisleError):
    """What was restored is not what the backup has."""

    code = "restore-failed"


class DocumentRefused(AisleError):
    """A document that cannot be stored: the fault is the document's, others are stored."""

    code = "document-refused"


class LoopStalled(AisleError):
    """A process's event loop stands still: something blocks it that should not."""

    code = "loop-stalled"
    retryable = True


class PhotoRefused(AisleError):
    """An event names a photo where none may be read from."""

    code = "photo-refused"


class PhotoMissing(AisleError):
    """Nothing is where an event says its photo is."""

    code = "photo-missing"


class PhotoOversize(AisleError):
    """A photo has more bytes than are read."""

    code = "photo-oversize"


class PhotoUnavailable(AisleError):
    """A photo's disk or object store gave no answer, or none in time."""

    code = "photo-unavailable"
    retryable = True


class ReplayEmpty(AisleError):
    """A replay of which the store has no answers."""

    code = "replay-empty"


class RetryRefused(AisleError):
    """A dead letter that may not, or cannot, be sent again."""

    code = "retry-refused"
