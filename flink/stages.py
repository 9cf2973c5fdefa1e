"""Where one query of the job ends and the next begins.

A stage is a view that becomes a stream: its rows are computed once for all that read them, and they can pass through an
operator that SQL does not have.
"""

from dataclasses import dataclass
from typing import Any, Final

from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

Java = Any  # an object of the JVM


@dataclass(frozen=True, slots=True)
class Operator:
    """A Java class of `storepulse.flink` which adds a `column` to each row: a time, or NULL."""

    name: str
    column: str


#: The views that are stages, and what their rows pass through.
STAGES: Final[dict[str, Operator | None]] = {"readings": None, "numbered": Operator("FiredUntil", "fired_until")}


def end_stage(tables: StreamTableEnvironment, view: str) -> None:
    """Let the name of `view` stand for the stream of its rows from now on; their time is the column `rowtime`."""
    flink = get_gateway().jvm.org.apache.flink
    types = flink.table.types.utils.DataTypeUtils
    table = tables.from_path(view)._j_table  # noqa: SLF001 - what PyFlink leaves to Java
    environment = tables._j_tenv  # noqa: SLF001 - what PyFlink leaves to Java
    row = types.toInternalDataType(types.removeTimeAttribute(table.getResolvedSchema().toPhysicalRowDataType()))
    stream = environment.toDataStream(table, row)
    if operator := STAGES[view]:
        row = _with_column(row, operator.column)
        stream = _passed_through(stream, operator, row)
    schema = flink.table.api.Schema.newBuilder().fromRowDataType(row).watermark("rowtime", "SOURCE_WATERMARK()")
    environment.createTemporaryView(view, environment.fromDataStream(stream, schema.build()))


def _with_column(row: Java, name: str) -> Java:
    """Return the type of a `row` that has one column more."""
    jvm = get_gateway().jvm
    types = jvm.org.apache.flink.table.api.DataTypes
    column = types.FIELD(name, types.TIMESTAMP(3))
    append = jvm.org.apache.flink.table.types.utils.DataTypeUtils.appendRowFields
    return append(row, jvm.java.util.Collections.singletonList(column))


def _passed_through(stream: Java, operator: Operator, row: Java) -> Java:
    """Return `stream` behind `operator`, whose rows are of the type `row`."""
    jvm = get_gateway().jvm
    rows = jvm.org.apache.flink.table.runtime.typeutils.InternalTypeInfo.of(row.getLogicalType())
    return stream.transform(operator.name, rows, getattr(jvm.storepulse.flink, operator.name)())
