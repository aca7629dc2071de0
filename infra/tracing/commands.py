"""What is asked of the store, as spans below the current one."""

from typing import Any

from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from infra.tracing import tracing


class StoreCommands(CommandListener):
    """Told by PyMongo of each command, on the thread that sends it, which Motor gives the caller's context."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, Any], Span] = {}

    def started(self, event: CommandStartedEvent) -> None:
        """A command goes out; its documents are not looked at."""
        on = tracing()
        if on is None or not get_current_span().is_recording():
            return
        named = event.command.get(event.command_name)
        on_what = f" {named}" if isinstance(named, str) else ""
        attributes = {
            "db.system.name": "mongodb",
            "db.namespace": event.database_name,
            "db.operation.name": event.command_name,
            **({"db.collection.name": named} if on_what else {}),
        }
        span = on.tracer.start_span(f"{event.command_name}{on_what}", kind=SpanKind.CLIENT, attributes=attributes)
        self._open[event.request_id, event.connection_id] = span

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """The answer is here."""
        if (span := self._open.pop((event.request_id, event.connection_id), None)) is not None:
            span.end()

    def failed(self, event: CommandFailedEvent) -> None:
        """There is none, or it is a refusal."""
        if (span := self._open.pop((event.request_id, event.connection_id), None)) is not None:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", str(event.failure.get("errtype", event.failure.get("code", "refused"))))
            span.end()
