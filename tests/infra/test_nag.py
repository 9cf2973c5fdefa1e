from tests.infra.synthesis import infra

OPEN_BUCKET = """
from infra import settings
settings.use_bundled_node()
from aws_cdk import Stack, aws_s3
from infra.application import build
from infra.config import LOCAL
app = build(LOCAL)
aws_s3.Bucket(Stack(app, "Careless"), "Bucket")
app.synth()
"""


def test_a_finding_of_cdk_nag_that_nobody_acknowledged_fails_the_synthesis() -> None:
    result = infra("-c", OPEN_BUCKET)
    assert result.returncode != 0
    assert "AwsSolutions-S1" in result.stdout + result.stderr
