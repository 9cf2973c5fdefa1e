"""``python -m windower``: count until told to stop. Settings come from the environment (``WINDOWER_*``)."""

import uvloop

from servicekit.lifecycle import run_service
from servicekit.logs import configure_logs
from servicekit.settings import load
from windower.app import build
from windower.garbage import collect_rarely
from windower.metrics import SERVICE
from windower.settings import WindowerSettings


def main() -> None:
    """Run the windower."""
    settings = load(WindowerSettings)
    configure_logs(SERVICE, settings.log_level)
    windower = build(settings)
    collect_rarely()
    run_service(windower.run, windower.api, settings.host, settings.port, loop_factory=uvloop.new_event_loop)


if __name__ == "__main__":
    main()
