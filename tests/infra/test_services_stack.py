import json
import re
from pathlib import Path
from typing import Any

import pytest

from detector.settings import DetectorSettings
from tests.infra.synthesis import ROOT, Template, load, of_type, only
from tests.infra.wiring import SETTINGS, container, task

EACH = pytest.mark.parametrize("service", SETTINGS)
LONGEST_STOP = 120  # Fargate's


def dockerfile(service: str) -> str:
    return (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")


def ecs_service(services: Template, name: str) -> dict[str, Any]:
    (found,) = (s for s in of_type(services, "ECS::Service") if s["ServiceName"] == name)
    return found


def test_there_is_a_service_for_each_folder_with_a_dockerfile(services: Template) -> None:
    folders = {file.parent.name for file in (ROOT / "services").glob("*/Dockerfile")}
    assert {s["ServiceName"] for s in of_type(services, "ECS::Service")} == folders == set(SETTINGS)


@EACH
def test_a_container_is_no_root_by_number_and_the_image_s_own_user(services: Template, service: str) -> None:
    user = container(services, service)["User"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert f"\nUSER {user}\n" in dockerfile(service)


@EACH
def test_a_container_can_write_only_where_its_image_says(services: Template, service: str) -> None:
    its = container(services, service)
    assert its["ReadonlyRootFilesystem"] is True
    in_memory = {each["ContainerPath"] for each in its["LinuxParameters"]["Tmpfs"]}
    on_disk = {each["ContainerPath"] for each in its.get("MountPoints", [])}
    assert "/tmp" in in_memory  # noqa: S108 - of the container
    assert in_memory | on_disk == set(re.findall(r'"(/\w+)"', dockerfile(service).split("\nVOLUME ")[1].split("\n")[0]))


@EACH
def test_a_container_has_no_capability_and_something_that_reaps(services: Template, service: str) -> None:
    linux = container(services, service)["LinuxParameters"]
    assert linux["Capabilities"] == {"Drop": ["ALL"]}
    assert linux["InitProcessEnabled"] is True


@EACH
def test_a_container_is_asked_for_its_health_and_replaced_when_it_is_ill(services: Template, service: str) -> None:
    its = container(services, service)
    assert its["HealthCheck"]["Command"] == ["CMD", "python", "-m", "servicekit.healthcheck"]
    assert its["Essential"] is True
    assert f"SERVICE={service}" in dockerfile(service)  # what the health check needs to find the port


@EACH
def test_a_container_may_stop_in_peace(services: Template, service: str) -> None:
    assert 30 <= container(services, service)["StopTimeout"] <= LONGEST_STOP


def test_the_detector_has_longer_to_stop_than_the_kcl_takes(services: Template) -> None:
    grace = DetectorSettings.model_fields["shutdown_grace_seconds"].default
    assert container(services, "detector")["StopTimeout"] > grace


@EACH
def test_logs_never_hold_a_service_up_and_are_kept_a_month(services: Template, service: str) -> None:
    options = container(services, service)["LogConfiguration"]["Options"]
    group = services["Resources"][options["awslogs-group"]["Ref"]]["Properties"]
    assert options["mode"] == "non-blocking"
    assert group == {"LogGroupName": f"/storepulse/test/{service}", "RetentionInDays": 30}


@EACH
def test_a_deployment_that_does_not_start_is_rolled_back(services: Template, service: str) -> None:
    deployment = ecs_service(services, service)["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


@pytest.mark.parametrize(
    ("service", "least", "most"), [("producer", 0, 100), ("windower", 100, 200), ("detector", 0, 100)]
)
def test_only_the_windower_has_a_second_task_beside_it_while_it_is_deployed(
    services: Template, service: str, least: int, most: int
) -> None:
    its = ecs_service(services, service)
    deployment = its["DeploymentConfiguration"]
    assert its["DesiredCount"] == 1
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (least, most)
    assert its["AvailabilityZoneRebalancing"] == "DISABLED"


@EACH
def test_a_task_has_no_public_address(services: Template, service: str) -> None:
    network = ecs_service(services, service)["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"


def test_only_operators_reach_a_task_and_only_its_operations_page(services: Template) -> None:
    rules = of_type(services, "EC2::SecurityGroupIngress")
    assert sorted((rule["FromPort"], rule["ToPort"]) for rule in rules) == [(port, port) for port in (8081, 8082, 8083)]
    assert {str(rule["SourceSecurityGroupId"]) for rule in rules} == {str(rules[0]["SourceSecurityGroupId"])}
    assert "Operators" in str(rules[0]["SourceSecurityGroupId"])


def test_a_task_reaches_https_alone(services: Template) -> None:
    for group in of_type(services, "EC2::SecurityGroup"):
        assert "SecurityGroupIngress" not in group
        assert [(rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [(443, 443)]


def test_a_role_is_taken_by_tasks_of_this_account_alone(services: Template) -> None:
    roles = of_type(services, "IAM::Role")
    assert len(roles) == 2 * len(SETTINGS)
    for role in roles:
        assert "ManagedPolicyArns" not in role
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "111111111111"}


def test_tasks_and_cluster_are_measured(services: Template) -> None:
    (setting,) = only(services, "ECS::Cluster")["ClusterSettings"]
    assert setting == {"Name": "containerInsights", "Value": "enabled"}


@EACH
def test_an_image_is_built_for_the_processor_that_its_task_has(services: Template, service: str) -> None:
    assert task(services, service)["RuntimePlatform"]["CpuArchitecture"] == "X86_64"


def test_the_windower_stands_still_while_the_flink_job_counts(aws_folder_with_flink: Path) -> None:
    services = load(aws_folder_with_flink / "services.json")
    tasks = {service: ecs_service(services, service)["DesiredCount"] for service in SETTINGS}
    assert tasks == {"producer": 1, "windower": 0, "detector": 3}


def test_several_detectors_have_names_of_their_own_and_each_can_take_over_what_one_had(
    aws_folder_with_flink: Path,
) -> None:
    services = load(aws_folder_with_flink / "services.json")
    told = {each["Name"]: each["Value"] for each in container(services, "detector")["Environment"]}
    assert told["DETECTOR_WORKER_ID"] == "auto"
    assert ecs_service(services, "detector")["DeploymentConfiguration"]["MinimumHealthyPercent"] == 100
    assert int(task(services, "detector")["Memory"]) == 3072  # 40 shards, 20 of them with one of three tasks gone


@EACH
def test_a_container_that_dies_is_restarted_in_place_with_its_host_name(services: Template, service: str) -> None:
    policy = container(services, service)["RestartPolicy"]
    assert policy == {"Enabled": True, "RestartAttemptPeriod": 60}


@pytest.fixture(scope="module")
def contexts(aws_folder: Path) -> dict[str, list[str]]:
    """What is given to Docker for each service."""
    assembly = aws_folder / "assembly"
    manifest = json.loads((assembly / "Storepulse-Services-test.assets.json").read_text())
    sources = [asset["source"] for asset in manifest["dockerImages"].values()]
    return {
        source["dockerFile"].split("/")[1]: sorted(
            str(file.relative_to(assembly / source["directory"]))
            for file in (assembly / source["directory"]).rglob("*")
            if file.is_file()
        )
        for source in sources
    }


@EACH
def test_docker_is_given_a_service_s_own_files_and_no_other_service_s(
    contexts: dict[str, list[str]], service: str
) -> None:
    files = contexts[service]
    assert {f"services/{service}/Dockerfile", f"services/{service}/src/{service}/__main__.py"} <= set(files)
    assert {file.split("/")[1] for file in files if file.startswith("services/")} == {service}
    assert not [file for file in files if re.match(r"(tests|local|infra|bench|data|docs|flink)/|.*\.(pyc|md)$", file)]


@EACH
def test_docker_is_given_all_that_the_dockerfile_copies(contexts: dict[str, list[str]], service: str) -> None:
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile(service), re.MULTILINE):
        for source in line.split()[:-1]:
            assert any(file == source or file.startswith(f"{source}/") for file in contexts[service]), source
