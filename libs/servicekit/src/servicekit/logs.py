"""JSON logs on stderr, one line an event, whoever writes them: our code, the standard library, warnings, a crash.

stdout is never touched: the children of the KCL daemon speak a protocol there.
"""

import json
import logging
import math
import re
import sys
import threading
from itertools import islice
from types import TracebackType
from typing import Any

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET_KEY = re.compile(r"(?i)secret|password|passwd|token|credential|authorization|api_?key|access_?key|private_?key")
_SECRET_TEXT = re.compile(  # linear: a name is looked at once, from its first character; \0 ends a text that was cut
    r"(?i)(?P<name>(?<![\w-])(?=[\w-]*?(?:secret|password|passwd|token|access_?key|api_?key))"
    r"[\w-]++[\"']?\s*+[=:]\s*+[\"']?)[^\s\"',&}\0]+"
    r"|(?P<url>://[^\s/:@]*+:)[^\s/@\0]++(?=[@\0])|(?-i:(?:AKIA|ASIA)(?:[A-Z0-9]{16}|[A-Z0-9]{0,15}\0))"
)
LONGEST_TEXT = 8192
"""How many characters of a text a line holds; what is cut off is not even looked at for secrets."""
MOST_ITEMS = 100
"""How many items of a list, and fields of a mapping, a line holds."""
_DEPTH = 8
_TALKATIVE = ("aiobotocore", "boto3", "botocore", "s3transfer", "urllib3")  # at DEBUG they write signed requests

# Until configure_logs is called: the standard library's way (warnings and worse, on stderr), not structlog's stdout.
if not structlog.is_configured():
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=BoundLogger)


def configure_logs(service: str, level: str = "INFO") -> None:
    """Send every log line of this process to stderr as `{"time", "level", "service", "event", ...fields}`.

    Also takes over the standard library's logging, warnings, and exceptions that nobody caught. An exception is one
    field of its line, without local variables; what is named like a secret is masked.

    Args:
        service: the service's name, in each line.
        level: the least severe level that is written, DEBUG to ERROR.
    """
    shared = _processors(service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=shared, processors=[*_final()]))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=BoundLogger,
    )
    sys.excepthook = _log_crash
    threading.excepthook = lambda crash: _log_crash(crash.exc_type, crash.exc_value, crash.exc_traceback)


def get_logger(name: str = "storepulse", **fields: object) -> BoundLogger:
    """Return a logger whose lines carry `fields`; call it as `log.info("event_name", field=value)`."""
    return structlog.stdlib.get_logger(name, **fields)


def _processors(service: str) -> list[Processor]:
    def name_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        name_service,
    ]


def _final() -> list[Processor]:
    transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
    return [
        _name_foreign_logger,
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.ExceptionRenderer(transformer),
        structlog.processors.StackInfoRenderer(),
        _render,
    ]


def _name_foreign_logger(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    if not event.get("_from_structlog") and isinstance(record, logging.LogRecord):
        event["logger"] = record.name
    return event


def _render(_: WrappedLogger, __: str, event: EventDict) -> str:
    first = {key: event.pop(key, None) for key in ("time", "level", "service", "event")}
    return json.dumps(_safe({**first, **event}, _DEPTH), ensure_ascii=False, default=str)


def _safe(value: Any, depth: int) -> Any:  # noqa: ANN401 - a field may hold anything
    """Return `value` as strict JSON can hold it, its secrets masked."""
    match value:
        case dict() if depth:
            kept = {str(k)[:LONGEST_TEXT]: v for k, v in islice(value.items(), MOST_ITEMS)}
            masked = {k: "***" if _SECRET_KEY.search(k) else _safe(v, depth - 1) for k, v in kept.items()}
            return masked if len(value) <= MOST_ITEMS else {**masked, "...": f"{len(value) - MOST_ITEMS:,} more"}
        case list() | tuple() | set() | frozenset() if depth:
            items = [_safe(item, depth - 1) for item in islice(value, MOST_ITEMS)]
            return items if len(value) <= MOST_ITEMS else [*items, f"... {len(value) - MOST_ITEMS:,} more"]
        case bool() | int() | None:
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case _:
            return _mask(str(value))


def _mask(text: str) -> str:
    """Return the beginning of `text` with its secrets masked, one that the cut goes through included."""
    kept = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "\0"
    masked = _SECRET_TEXT.sub(_keep_name, kept.encode(errors="backslashreplace").decode())
    return masked if kept is text else masked.removesuffix("\0") + f"... {len(text) - LONGEST_TEXT:,} characters more"


def _keep_name(found: re.Match[str]) -> str:
    return (found["name"] or found["url"] or "") + "***"


def _log_crash(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    if error is not None and not issubclass(kind, KeyboardInterrupt | SystemExit):
        get_logger().error("crashed", exc_info=(kind, error, traceback))
