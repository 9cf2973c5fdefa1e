"""Where one query of the job ends and the next begins.

A stage is a view that becomes a stream: its rows are computed once for all that read them, and each gets what SQL does
not know, the highest watermark before it.
"""

from typing import Any, Final

from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

Java = Any  # an object of the JVM

#: The views that are stages, and the column that their rows get: a time, or NULL.
STAGES: Final = {"readings": "passed", "numbered": "fired_until"}


def end_stage(tables: StreamTableEnvironment, view: str) -> None:
    """Let the name of `view` stand for the stream of its rows from now on; their time is the column `rowtime`."""
    jvm = get_gateway().jvm
    types = jvm.org.apache.flink.table.types.utils.DataTypeUtils
    table = tables.from_path(view)._j_table  # noqa: SLF001 - what PyFlink leaves to Java
    environment = tables._j_tenv  # noqa: SLF001 - what PyFlink leaves to Java
    before = types.toInternalDataType(types.removeTimeAttribute(table.getResolvedSchema().toPhysicalRowDataType()))
    after = _with_time(before, STAGES[view])
    rows = jvm.org.apache.flink.table.runtime.typeutils.InternalTypeInfo.of(after.getLogicalType())
    stream = environment.toDataStream(table, before).transform(STAGES[view], rows, jvm.storepulse.flink.FiredUntil())
    stream.uid(STAGES[view])
    schema = jvm.org.apache.flink.table.api.Schema.newBuilder().fromRowDataType(after)
    schema = schema.watermark("rowtime", "SOURCE_WATERMARK()").build()
    environment.createTemporaryView(view, environment.fromDataStream(stream, schema))


def _with_time(row: Java, name: str) -> Java:
    """Return the type of a `row` that has one column more."""
    jvm = get_gateway().jvm
    types = jvm.org.apache.flink.table.api.DataTypes
    column = types.FIELD(name, types.TIMESTAMP(3))
    append = jvm.org.apache.flink.table.types.utils.DataTypeUtils.appendRowFields
    return append(row, jvm.java.util.Collections.singletonList(column))
