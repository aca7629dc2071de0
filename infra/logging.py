"""Logs: one form for our lines and the libraries', pretty on a terminal and JSON otherwise."""

import logging
import sys
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

from infra.settings import Settings

_REPEAT_AFTER_S: Final = 10.0
# While a broker is away aiokafka writes several lines every 100 ms for each client.
_LIBRARIES: Final = (
    "aiokafka",
    "aiohttp",
    "asyncio",
    "faust",
    "jgo",
    "kafka",
    "mode",
    "motor",
    "opentelemetry",
    "pymongo",
)
# Faust names the loggers of its classes for the module of the subclass.
_SUBCLASSES: Final = ("infra.kafka.app", "infra.kafka.consumer", "infra.kafka.producer")
# A stage that is broken says so with every batch.
_BATCHES: Final = ("model.asking",)

# Without the frames' locals: they hold settings and users' texts.
_TRACEBACKS: Final = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


class RateLimit(logging.Filter):
    """Lets the same library line through once every so often, and says how many were held back.

    Two lines are the same when logger and message template are, whatever their arguments.

    Args:
        every_s: Seconds before the same line is let through again.
    """

    def __init__(self, every_s: float = _REPEAT_AFTER_S) -> None:
        super().__init__()
        self._every_s = every_s
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the record; adds ``held_back`` when some like it were not."""
        key = (record.name, str(record.msg)[:80])
        now = time.monotonic()
        last, held = self._seen.get(key, (float("-inf"), 0))
        if now - last < self._every_s:
            self._seen[key] = (last, held + 1)
            return False
        if len(self._seen) > 1_000:  # messages formatted before logging never repeat: do not keep them all
            self._seen.clear()
        self._seen[key] = (now, 0)
        if held:
            record.held_back = held
        return True


def configure_logging(settings: Settings, **bound: str) -> None:
    """Set up structlog and the standard library's logging for this process.

    Args:
        settings: ``log_level`` and ``log_format`` are used.
        bound: Fields that every line of this process carries, such as ``worker``.
    """
    pretty = settings.log_format == "pretty" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        _binder(bound),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty),
    ]
    if pretty:
        end: list[structlog.types.Processor] = [structlog.dev.ConsoleRenderer(pad_event_to=36)]
    else:
        end = [_TRACEBACKS, structlog.processors.JSONRenderer(default=str)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(allow={"held_back"}),
                *shared,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *end],
        )
    )
    limit = RateLimit()
    handler.addFilter(
        lambda record: not record.name.startswith((*_LIBRARIES, *_SUBCLASSES, *_BATCHES)) or limit.filter(record)
    )
    level = settings.log_level.upper()
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for library in (*_LIBRARIES, *_SUBCLASSES):
        logging.getLogger(library).setLevel(max(logging.getLevelName(level), logging.WARNING))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines carry the fields bound to it and to the current context."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _binder(bound: Mapping[str, str]) -> structlog.types.Processor:
    def bind(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in bound.items():
            event.setdefault(name, value)
        return event

    return bind
