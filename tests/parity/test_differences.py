"""Where the Flink job is known to say something else: all records that no producer of ours writes (docs/flink.md)."""

from pathlib import Path

import pytest

from storepulse.activity.actions import decode_actions
from tests.builders import payload
from tests.parity.job import needs_flink, run_job

pytestmark = pytest.mark.timeout(1_800)  # a minute on a quiet machine

_OPEN = payload()[:-1]
_NO_USER = payload(user_id=...)[:-1]

#: What the windower counts and the job sets aside: the limits of Flink's JSON parser.
ONLY_THE_WINDOWER_COUNTS = {
    "a number of more than 1,000 digits": _OPEN + b',"n":' + b"9" * 1_001 + b"}",
    "a number with a vast exponent": _OPEN + b',"n":1e99999999999}',
    "a name of more than 50,000 letters": _OPEN + b',"' + b"n" * 60_000 + b'":1}',
}
#: What the windower sets aside and the job counts.
ONLY_THE_JOB_COUNTS = {
    "a name given twice, the first of a wrong type": _NO_USER + b',"user_id":7,"user_id":"u"}',
    "what follows the object closes the brackets around it": payload() + b"},0]",
}


def test_the_windower_is_as_described() -> None:
    assert not decode_actions(list(ONLY_THE_WINDOWER_COUNTS.values())).bad
    assert len(decode_actions(list(ONLY_THE_JOB_COUNTS.values())).bad) == len(ONLY_THE_JOB_COUNTS)


@needs_flink
def test_the_flink_job_is_as_described(tmp_path: Path) -> None:
    [answer] = run_job([[*ONLY_THE_WINDOWER_COUNTS.values(), *ONLY_THE_JOB_COUNTS.values()]], tmp_path)
    assert {record for _, record in answer.bad} == set(ONLY_THE_WINDOWER_COUNTS.values())
    assert sum(count.num_actions for count in answer.finals) == len(ONLY_THE_JOB_COUNTS)
