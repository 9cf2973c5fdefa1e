"""`python -m detector`."""

import sys

from detector.app import build
from detector.handlers import SERVICE
from detector.kcl.java import JavaNotFoundError
from detector.settings import DetectorSettings
from servicekit.api import build_api
from servicekit.lifecycle import run_service
from servicekit.logs import configure_logs, get_logger
from servicekit.settings import load


def main() -> None:
    """Supervise the KCL daemon until SIGTERM."""
    settings = load(DetectorSettings)
    configure_logs(SERVICE, settings.log_level)
    try:
        service = build(settings)
    except (JavaNotFoundError, OSError) as error:
        get_logger().error("cannot_start", reason=str(error))
        sys.exit(1)
    service.lag.start()
    api = build_api(SERVICE, service.health, service.metrics.registry)
    try:
        run_service(service.supervisor.run, api, settings.host, settings.port)
    finally:
        service.files.remove()


if __name__ == "__main__":
    main()
