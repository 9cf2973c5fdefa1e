"""`python -m servicekit.healthcheck [url]` exits with 0 when the service answers 200, with 1 otherwise.

Without a url it asks `http://127.0.0.1:$<SERVICE>_PORT/health/live`, where the variable SERVICE names the service.
"""

import http.client
import sys
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings

from servicekit.settings import Port, load

_TIMEOUT = 3.0


class _Service(BaseSettings):
    service: str = Field(min_length=1, description="the name of the service to ask, such as producer")


def main(arguments: list[str]) -> int:
    """Return the exit code, and say on stderr what is wrong when it is not 0."""
    try:
        url = arguments[0] if arguments else _default_url()
        status = _ask(url)
    except SystemExit:  # `load` has told why; 2 is reserved by container engines
        return 1
    except (OSError, ValueError, http.client.HTTPException) as error:
        sys.stderr.write(f"unhealthy: {error}\n")
        return 1
    sys.stderr.write("" if status == http.client.OK else f"unhealthy: {url} answered {status}\n")
    return int(status != http.client.OK)


def _default_url() -> str:
    class Address(BaseSettings, env_prefix=f"{load(_Service).service}_"):
        port: Port = Field(description="the port that the service listens on")

    return f"http://127.0.0.1:{load(Address).port}/health/live"


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
