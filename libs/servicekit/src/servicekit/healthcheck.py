"""`python -m servicekit.healthcheck [url]` exits with 0 when the service answers 200, with 1 otherwise.

Without a url it asks `http://127.0.0.1:$<SERVICE>_PORT/health/live`, where the variable SERVICE names the service.
"""

import http.client
import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

_TIMEOUT = 3.0


def main(arguments: list[str]) -> int:
    """Return the exit code, and say on stderr what is wrong when it is not 0."""
    try:
        # not through `settings`: this runs every few seconds, and pydantic's import would be most of what it costs
        url = arguments[0] if arguments else _default_url(os.environ)
        status = _ask(url)
    except (OSError, ValueError, http.client.HTTPException) as error:
        sys.stderr.write(f"unhealthy: {error}\n")
        return 1
    sys.stderr.write("" if status == http.client.OK else f"unhealthy: {url} answered {status}\n")
    return int(status != http.client.OK)


def _default_url(environment: Mapping[str, str]) -> str:
    service = environment.get("SERVICE", "")
    name = f"{service.upper()}_PORT" if service else "SERVICE"
    port = environment.get(name, "")
    if not (service and port.isdecimal()):
        message = f"{name} is not set, or no number: give SERVICE (its name) and <SERVICE>_PORT, or a url"
        raise ValueError(message)
    return f"http://127.0.0.1:{port}/health/live"


def _ask(url: str) -> int:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        message = f"{url!r} is not an http:// address"
        raise ValueError(message)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT)
    try:
        connection.request("GET", parts.path or "/health/live")
        return connection.getresponse().status
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
