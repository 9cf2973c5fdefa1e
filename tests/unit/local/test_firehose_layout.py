from datetime import UTC, datetime
from uuid import UUID

import pytest

from local.errors import LocalError
from local.firehose.layout import object_key, render_prefix

AT = datetime(2026, 3, 7, 4, 5, 9, tzinfo=UTC)
UNIQUE = UUID("d836fd74-2ccc-4e94-98d2-2eddd6c32cf9")


def test_a_key_is_the_rendered_prefix_and_firehose_s_name_for_the_object() -> None:
    key = object_key(
        prefix="stream-1/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/", stream="archive", at=AT, unique=UNIQUE
    )
    assert key == f"stream-1/dt=2026-03-07/hr=04/archive-1-2026-03-07-04-05-09-{UNIQUE}.gz"


@pytest.mark.parametrize(
    ("prefix", "rendered"),
    [
        ("plain/", "plain/"),
        ("!{timestamp:yyyy/MM/dd/HH}/", "2026/03/07/04/"),
        ("t=!{timestamp:mm}-!{timestamp:ss}", "t=05-09"),
    ],
)
def test_each_timestamp_of_a_prefix_is_replaced(prefix: str, rendered: str) -> None:
    assert render_prefix(prefix, AT) == rendered


@pytest.mark.parametrize(
    "expression", ["timestamp:EEE", "firehose:random-string", "timestamp:", "partitionKeyFromQuery:x"]
)
def test_an_expression_that_the_stand_in_does_not_know_is_refused_by_name(expression: str) -> None:
    with pytest.raises(LocalError, match=expression):
        render_prefix(f"a/!{{{expression}}}/", AT)
