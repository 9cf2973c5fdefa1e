from pathlib import Path

from tests.infra.synthesis import COMMITTED, Template, actions, infra, load, of_type, only, statements, synthesise


def test_the_committed_template_is_what_infra_synthesises(tmp_path: Path) -> None:
    now = synthesise(tmp_path / "local.json", "--local").read_text()
    assert now == COMMITTED.read_text(), "run `make infra-synth` and commit local/templates"


def test_cloudformation_s_linter_finds_nothing(aws_folder: Path) -> None:
    files = [str(file) for file in (*aws_folder.glob("*.json"), COMMITTED)]
    result = infra("-c", "from cfnlint.runner import main; main()", *files)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_streams_are_on_demand_in_aws_and_have_two_shards_in_the_emulator(aws_template: Template) -> None:
    in_aws, emulated = (of_type(template, "Kinesis::Stream") for template in (aws_template, load(COMMITTED)))
    assert [s["StreamModeDetails"] for s in in_aws] == [{"StreamMode": "ON_DEMAND"}] * 2
    assert [s["ShardCount"] for s in emulated] == [2, 2]


def test_streams_have_the_same_names_in_aws_and_in_the_emulator(aws_template: Template) -> None:
    names = {f"ecommerce-raw-user-activity-stream-{number}" for number in (1, 2)}
    for template in (aws_template, load(COMMITTED)):
        assert {s["Name"] for s in of_type(template, "Kinesis::Stream")} == names


def test_every_stream_is_encrypted(aws_template: Template) -> None:
    assert all(s["StreamEncryption"]["EncryptionType"] == "KMS" for s in of_type(aws_template, "Kinesis::Stream"))


def test_every_table_expires_rows_and_can_be_restored_and_is_encrypted_with_our_key(aws_template: Template) -> None:
    tables = of_type(aws_template, "DynamoDB::Table")
    assert {t["TableName"] for t in tables} == {"storepulse-user-actions-test", "storepulse-alerts-test"}
    for table in tables:
        assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert table["SSESpecification"]["SSEType"] == "KMS"
        assert table["DeletionProtectionEnabled"] is True


def test_every_table_is_keyed_by_pk_and_sk(aws_template: Template) -> None:
    for table in of_type(aws_template, "DynamoDB::Table"):
        assert {k["AttributeName"]: k["KeyType"] for k in table["KeySchema"]} == {"pk": "HASH", "sk": "RANGE"}


def test_alerts_are_found_by_user_and_by_day(aws_template: Template) -> None:
    (alerts,) = (t for t in of_type(aws_template, "DynamoDB::Table") if t["TableName"] == "storepulse-alerts-test")
    keys = {i["IndexName"]: [k["AttributeName"] for k in i["KeySchema"]] for i in alerts["GlobalSecondaryIndexes"]}
    assert keys == {"by_user": ["user_id", "window_start"], "by_day": ["day", "window_start"]}


def test_no_bucket_can_be_read_by_the_public_or_without_encryption(aws_template: Template) -> None:
    buckets = of_type(aws_template, "S3::Bucket")
    assert len(buckets) == 2
    for bucket in buckets:
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]


def test_every_bucket_queue_and_topic_refuses_connections_without_tls(aws_template: Template) -> None:
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    denials = [s for _, s in statements(aws_template) if s["Effect"] == "Deny" and s.get("Condition") == insecure]
    assert len(denials) == 4


def test_the_archive_writes_gzipped_lines_each_minute(aws_template: Template) -> None:
    destination = only(aws_template, "KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    assert destination["BufferingHints"] == {"IntervalInSeconds": 60, "SizeInMBs": 5}
    assert destination["CompressionFormat"] == "GZIP"
    assert [p["Type"] for p in destination["ProcessingConfiguration"]["Processors"]] == ["AppendDelimiterToRecord"]
    assert destination["Prefix"] == "stream-1/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/"


def test_the_archive_reads_stream_1(aws_template: Template) -> None:
    source = only(aws_template, "KinesisFirehose::DeliveryStream")["KinesisStreamSourceConfiguration"]
    stream = source["KinesisStreamARN"]["Fn::GetAtt"][0]
    assert aws_template["Resources"][stream]["Properties"]["Name"] == "ecommerce-raw-user-activity-stream-1"


def test_the_emulator_is_given_no_delivery_stream() -> None:
    assert of_type(load(COMMITTED), "KinesisFirehose::DeliveryStream") == []


def test_bad_events_are_kept_fourteen_days(aws_template: Template) -> None:
    queue = only(aws_template, "SQS::Queue")
    assert queue["QueueName"] == "storepulse-bad-events-test"
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert "KmsMasterKeyId" in queue


def test_nothing_is_allowed_by_a_wildcard_action_but_the_account_s_own_hold_on_its_key(aws_template: Template) -> None:
    allowed = [(name, s) for name, s in statements(aws_template) if s["Effect"] == "Allow"]
    wild = [(name, a, s["Principal"]) for name, s in allowed for a in actions(s) if "*" in a]
    ((key, action, principal),) = wild
    assert aws_template["Resources"][key]["Type"] == "AWS::KMS::Key"
    assert (action, principal) == ("kms:*", {"AWS": "arn:aws:iam::111111111111:root"})


def test_no_role_reaches_all_resources(aws_template: Template) -> None:
    roles = {name for name, r in aws_template["Resources"].items() if r["Type"] == "AWS::IAM::Policy"}
    reached = [s["Resource"] for name, s in statements(aws_template) if name in roles]
    assert reached
    assert "*" not in reached


def test_nobody_gets_mail_unless_an_address_is_given(aws_template: Template) -> None:
    assert of_type(aws_template, "SNS::Subscription") == []


def test_the_address_that_is_given_gets_the_alerts(tmp_path: Path) -> None:
    template = load(synthesise(tmp_path / "mail.json", "--alert-email", "ops@example.com"))
    subscription = only(template, "SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")


def test_everything_that_holds_data_survives_the_stack(aws_template: Template) -> None:
    holders = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Kinesis::Stream", "AWS::KMS::Key", "AWS::SQS::Queue")
    kept = {r["Type"]: r.get("DeletionPolicy") for r in aws_template["Resources"].values() if r["Type"] in holders}
    assert kept == dict.fromkeys(holders, "Retain")
