"""What can go wrong with a request."""

from typing import Any, ClassVar

from schemas.errors import AisleError


class RequestRefused(AisleError):
    """A request that the gateway answers with a problem; each kind has its HTTP status."""

    code = "request-refused"
    status: ClassVar[int] = 400


class Unauthenticated(RequestRefused):
    """Nobody knows who asks: no token, or one that is not good any more."""

    code = "unauthenticated"
    status = 401


class Forbidden(RequestRefused):
    """Who asks may not do this."""

    code = "forbidden"
    status = 403


class NotFound(RequestRefused):
    """There is no such thing, or it is not the caller's."""

    code = "not-found"
    status = 404


class Conflict(RequestRefused):
    """What is asked for does not fit what is there now."""

    code = "conflict"
    status = 409


class AlreadyJudged(Conflict):
    """Another person has judged the item, and who judges it now has not seen that."""

    code = "already-judged"

    def __init__(self, message: str, *, hint: str = "", stands: dict[str, Any]) -> None:
        super().__init__(message, hint=hint)
        self.stands = stands


class BodyTooLarge(RequestRefused):
    """The request's body, or what it would become on the topic, is longer than allowed."""

    code = "body-too-large"
    status = 413


class BodyTooSlow(RequestRefused):
    """The rest of the request's body did not come."""

    code = "body-too-slow"
    status = 408
    retryable = True


class Unprocessable(RequestRefused):
    """The request is well formed and says what cannot be."""

    code = "unprocessable"
    status = 422


class KeyReused(Unprocessable):
    """An Idempotency-Key that was used for another product."""

    code = "idempotency-key-reused"


class NotClassified(Unprocessable):
    """The product became a dead letter; the message says why."""

    code = "not-classified"


class TooMany(RequestRefused):
    """The caller asks too often."""

    code = "too-many-requests"
    status = 429
    retryable = True

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Busy(RequestRefused):
    """The gateway has as much in hand as it may have."""

    code = "busy"
    status = 503
    retryable = True


class NotReady(RequestRefused):
    """What the answer needs is away at the moment."""

    code = "not-ready"
    status = 503
    retryable = True


class SignInFailed(Unauthenticated):
    """Name and password do not fit, or the account is disabled."""

    code = "sign-in-failed"


class AccountLocked(TooMany):
    """Too many wrong passwords were given for an account."""

    code = "account-locked"


class PasswordWrong(Unprocessable):
    """The current password, which is asked for before it is changed, is another."""

    code = "password-wrong"


class PasswordRefused(Unprocessable):
    """A new password that is too easily guessed."""

    code = "password-refused"


class LinkSpent(Unprocessable):
    """A one-time link that was used, is too old, or never was one."""

    code = "link-spent"


class NameTaken(Conflict):
    """There is, or was, an account of this name."""

    code = "name-taken"


class LastAdmin(Conflict):
    """Without this admin there would be none."""

    code = "last-admin"


class CrossSite(Forbidden):
    """A page of another site made the browser ask."""

    code = "cross-site"


class SessionStays(RequestRefused):
    """Somebody signed out while the store is away: the browser has forgotten the session, the store has not."""

    code = "session-stays"
    status = 503


class SessionNeeded(Forbidden):
    """Something that is done signed in, and not with an API key."""

    code = "session-needed"
