"""A child of the KCL daemon: `python -m detector.processor SETTINGS_FILE`; stdin and stdout are the protocol.

Ends by itself when stdin does, that is when the daemon is gone. SIGTERM: finish the batch, checkpoint, end.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from detector.app import build_use_case
from detector.handlers import SERVICE
from detector.kcl.children import registered
from detector.kcl.protocol import Conversation
from detector.metrics import ShardMetrics
from detector.settings import DetectorSettings
from detector.shard import ShardProcessor
from servicekit.clock import SystemClock
from servicekit.errors import RetryableError
from servicekit.logs import configure_logs, get_logger

_log = get_logger(__name__)


def main(settings_file: Path) -> None:
    """Handle one shard until the daemon is done with it."""
    settings = DetectorSettings.model_validate_json(settings_file.read_bytes())
    configure_logs(SERVICE, settings.log_level)
    conversation = Conversation(sys.stdin.buffer, _take_stdout())
    _leave_on_sigterm(conversation)
    with registered(settings_file.parent / "children") as registration:
        metrics = ShardMetrics(SystemClock())
        use_case = build_use_case(settings, metrics, give_up=_give_up_of(conversation))
        conversation.run(
            ShardProcessor(
                use_case,
                stream=settings.stream,
                metrics=metrics,
                clock=SystemClock(),
                checkpoint_every=timedelta(seconds=settings.checkpoint_seconds),
                on_initialized=registration.initialized,
                on_handled=registration.handled,
                on_shutdown=use_case.metrics.flush,
            )
        )


def _take_stdout() -> BinaryIO:
    """Return the protocol's stream; what anybody prints goes to stderr from here on."""
    protocol = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    return protocol


def _leave_on_sigterm(conversation: Conversation) -> None:
    def leave(_: int, __: FrameType | None) -> None:
        conversation.leaving = True
        if not conversation.busy:
            raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _give_up_of(conversation: Conversation) -> Callable[[], bool]:
    """Return what tells whether to stop retrying: we are leaving, or the daemon that gave us the batch is gone."""
    daemon = os.getppid()
    return lambda: conversation.leaving or os.getppid() != daemon


if __name__ == "__main__":
    code = 1
    try:
        main(Path(sys.argv[1]))
        code = 0
    except SystemExit:
        code = 0
    except BrokenPipeError:
        _log.warning("daemon_is_gone")
    except RetryableError as error:
        _log.warning("batch_left_undone", reason=str(error))
    except Exception:  # noqa: BLE001 - whatever it is: logged, and the records come again
        _log.error("child_crashed", exc_info=True)
    sys.stderr.flush()
    os._exit(code)  # without waiting for threads in calls that hang
