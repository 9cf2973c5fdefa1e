"""The windowing job: on Amazon Managed Service for Apache Flink, or here with Kinesis or files.

Managed Flink calls it without arguments and puts the application's property groups at `MANAGED_PROPERTIES`. Here each
argument is such a file, and each makes one job, one after the other in one JVM:

    flink/.venv/bin/python flink/main.py properties.json ...

Group ``Flink`` holds Flink's settings, ``Local`` those that Managed Flink keeps to itself; ``stream_1``, ``stream_2``
and ``bad_events`` the options of the tables of these names. The rules are in `sql/windowing.sql`.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StatementSet, StreamTableEnvironment

from stages import STAGES, end_stage

HERE: Final = Path(__file__).parent
SQL: Final = HERE / "sql" / "windowing.sql"
JAR: Final = HERE / "target" / "pyflink-dependencies.jar"
MANAGED_PROPERTIES: Final = Path("/etc/flink/application_properties.json")

Groups = Mapping[str, Mapping[str, str]]

#: How DATE_FORMAT is told the form of a time on the wire.
WIRE_FORM: Final = "yyyy-MM-dd''T''HH:mm:ss.SSS''Z''"


def main() -> None:
    """Run the job of each property file given, or the one of Managed Flink."""
    given = [Path(argument) for argument in sys.argv[1:]]
    for properties in given:
        _job(_groups(properties), local=True).execute().wait()
    if not given:
        _job(_groups(MANAGED_PROPERTIES), local=False).execute()


def _groups(properties: Path) -> Groups:
    return {each["PropertyGroupId"]: each["PropertyMap"] for each in json.loads(properties.read_text())}


def _job(groups: Groups, *, local: bool) -> StatementSet:
    """Declare the tables of `groups` and return what is to be inserted, not yet started."""
    settings = Configuration()
    for name, value in _settings(groups, local=local).items():
        settings.set_string(name, value)
    tables = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment(settings))
    inserts = tables.create_statement_set()
    for statement in _statements(groups):
        if statement.startswith("INSERT"):
            inserts.add_insert_sql(statement)
            continue
        tables.execute_sql(statement)
        if (view := statement.removeprefix("CREATE VIEW ").split()[0]) in STAGES:
            end_stage(tables, view)
    return inserts


def _settings(groups: Groups, *, local: bool) -> dict[str, str]:
    if not local:
        return dict(groups["Flink"])
    jar = {"pipeline.jars": JAR.as_uri()} if JAR.exists() else {}
    return jar | dict(groups["Flink"]) | dict(groups.get("Local", {}))


def _statements(groups: Groups) -> Iterator[str]:
    """Yield the statements of the job, in order, complete."""
    known = _known(groups)
    text = re.sub("(?m)^--.*\n", "", SQL.read_text())
    for statement in text.split(";\n"):
        if statement.strip():
            yield re.sub(r"\{([a-z]\w+)\}", lambda found: known[found[1]], statement).strip()


def _known(groups: Groups) -> dict[str, str]:
    """Return what the properties say, by the names it has in the SQL."""
    tables = {name: _options(groups[name]) for name in ("stream_1", "stream_2", "bad_events")}
    source = groups["stream_1"]
    name = source["stream.arn"].rpartition("/")[2] if "stream.arn" in source else source["path"]
    keyed = groups["stream_2"]["connector"] == "kinesis"
    return tables | {
        "stream_1_name": _quoted(name),
        "wire_form": WIRE_FORM,
        "stream_2_key": "PARTITIONED BY (user_id)" if keyed else "",
    }


def _options(group: Mapping[str, str]) -> str:
    return ", ".join(f"'{name}' = '{_quoted(value)}'" for name, value in group.items())


def _quoted(value: str) -> str:
    return value.replace("'", "''")


if __name__ == "__main__":
    main()
