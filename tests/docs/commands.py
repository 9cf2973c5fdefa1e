"""How each command in the documents is proven: the one table of `test_commands.py`.

A new command in a document needs a row here. Cheap ones are run; for the rest, a row names the file that runs them.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """The command is run as it stands, in the repository's root, and must exit with 0."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """`make --dry-run` must accept it, and `why` says why no test goes further."""

    why: str


@dataclass(frozen=True, slots=True)
class RunBy:
    """`file` runs it, and holds the text `proof`; a make target must also pass `make --dry-run`."""

    file: str
    proof: str


@dataclass(frozen=True, slots=True)
class Suite:
    """pytest on paths that exist: `make test` runs them."""


Proof = Run | DryRun | RunBy | Suite

#: Only docs/runbook.md has such commands, each of which its own test runs.
RUNBOOK = RunBy("tests/docs/test_runbook.py", "account.run(command")

TABLE: dict[str, Proof] = {
    r"make( help)?": Run(),
    r"make check-(lint|architecture|lengths|commits)": Run(),
    r"(make -k check|make check)": DryRun("its steps are seconds of ruff and minutes of mypy: a suite of its own"),
    r"make lock( UPGRADE=--upgrade)?": DryRun("it writes the locks; `make check-locks` resolves them in the same way"),
    r"make (PYTHON=\S+ )?(setup|test)": DryRun("this test runs inside of it"),
    r"make demo( SPEED=\d+)?": RunBy("tests/e2e/test_demo.py", '"make", "demo"'),
    r"make demo ENGINE=flink": RunBy("tests/e2e/test_flink.py", '"ENGINE=flink"'),
    r"make flink-package": RunBy("tests/e2e/test_flink.py", '"flink-package"'),
    r"make flink-setup": DryRun("`make test` makes the same environment"),
    r"make parity": RunBy("tests/parity/test_parity.py", "pytest.mark.parity"),
    r"make (up|down|status|logs)( LOCAL_EMULATOR_PORT=\d+)?": RunBy("tests/e2e/test_up.py", 'made.make("up")'),
    r"make chaos": RunBy("tests/chaos/test_chain.py", "pytest.mark.chaos"),
    r"(\.venv/bin/)?python -m producer replay [^-].*": RunBy("tests/integration/producer/test_command.py", "replay"),
    r"(\.venv/bin/)?python -m producer": RunBy("tests/e2e/test_up.py", '"producer", "/replays"'),
    r"make (compose-demo( SPEED=\d+)?|images|compose-(up|down))": RunBy(
        "tests/containers/test_compose_demo.py", 'make("compose-up"'
    ),
    r"make test-compose": RunBy("tests/containers/test_platform.py", "pytest.mark.containers"),
    r"docker compose up --wait": RunBy("tests/containers/platform.py", '"up", "--wait"'),
    r"docker compose run --rm producer replay .*": RunBy("tests/containers/platform.py", '"run", "--rm"'),
    r"docker compose down --volumes": RunBy("tests/containers/platform.py", '"down", "--volumes"'),
    r"make bench": DryRun("figures, not verdicts: it runs for minutes"),
    r"make infra-synth": RunBy("tests/infra/test_data_stack.py", "run `make infra-synth`"),
    r"export AWS_ENDPOINT_URL=http://127.0.0.1:4566 .*": RunBy(
        "tests/integration/producer/test_command.py", "export AWS_ENDPOINT_URL="
    ),
    r"(export|aws|curl) .*|aws\(\) .*": RUNBOOK,
    r"local/\.venv/bin/python -m local (status|logs .*)": RunBy("tests/docs/test_runbook.py", "local.splitlines()"),
    r"\.venv/bin/pytest( -\S+)*( tests\S*)+": Suite(),
    r"(local/)?\.venv/bin/python -m \w+( \w+)* --help": Run(),
}


def proof_of(command: str) -> Proof | None:
    """Return how `command` is proven, or None when no row knows it."""
    return next((proof for pattern, proof in TABLE.items() if re.fullmatch(pattern, command)), None)
