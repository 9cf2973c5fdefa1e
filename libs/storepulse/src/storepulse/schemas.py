"""JSON Schemas of all that crosses a wire, generated from the types and committed beside this package's source.

``python -m storepulse.schemas`` prints nothing and writes them; a test holds that the committed files are current.
"""

from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

import msgspec

from storepulse.activity.counts import WindowCount
from storepulse.activity.events import Activity, Heartbeat
from storepulse.detection.alerts import Alert
from storepulse.failures import BadEvent

SCHEMAS: Final[dict[str, type[msgspec.Struct]]] = {
    "activity/1": Activity,
    "heartbeat/1": Heartbeat,
    "window-count/1": WindowCount,
    "alert/1": Alert,
    "bad-event/1": BadEvent,
}
FOLDER: Final = Path(__file__).parents[2] / "schemas"


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of the wire format called `name`, such as ``activity/1``."""
    generated = msgspec.json.schema(SCHEMAS[name])
    for definition in generated["$defs"].values():  # from Python 3.13 on docstrings come without their indentation
        if "description" in definition:
            definition["description"] = cleandoc(definition["description"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name} | generated


def file_of(name: str) -> Path:
    """Return where the schema called `name` is committed."""
    return FOLDER / f"{name.replace('/', '-')}.json"


def text_of(name: str) -> str:
    """Return the committed file's text."""
    return msgspec.json.format(msgspec.json.encode(schema(name)), indent=2).decode() + "\n"


def write() -> None:
    """Write every schema to its file."""
    FOLDER.mkdir(exist_ok=True)
    for name in SCHEMAS:
        file_of(name).write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    write()
