"""What can go wrong with services on this machine, beside a service that does not start."""

from schemas.errors import AisleError


class JarsUnavailable(AisleError):
    """The Java packages of a local service are neither here nor to be had."""

    code = "jars-unavailable"
    retryable = True


class ChecksumMismatch(AisleError):
    """A Java package is not the one that is locked."""

    code = "checksum-mismatch"


class AlreadyRunning(AisleError):
    """Another process does this in the same data directory."""

    code = "already-running"
