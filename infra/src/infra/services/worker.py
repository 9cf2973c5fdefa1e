"""What every service has in common: one container, read-only, no root, watched, rolled back when it does not start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.names import Names
from infra.services.image import image_of

USER: Final = "10001:10001"
"""The images' own user; by number, as ECS knows no other way to see that it is not root."""
LOGS_NAMESPACE: Final = "Storepulse/Logs"
ERRORS_METRIC: Final = "errors-{service}"
ERROR_LINES: Final = '{ $.level = "error" || $.level = "critical" }'
HEALTH_COMMAND: Final = ("CMD", "python", "-m", "servicekit.healthcheck")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the services of a deployment run, and with what."""

    cluster: ecs.Cluster
    operators: ec2.ISecurityGroup
    key: kms.IKey
    names: Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One service's task.

    Attributes:
        service: its one name: of the folder, the package, the log group, the DNS entry.
        port: of its operations page.
        cpu: in 1/1024 of a processor, one of Fargate's sizes.
        memory: in MiB, one that Fargate offers for that `cpu`.
        scratch: MiB of that memory for `/tmp`, which can be written.
        state: another folder that can be written, on the task's own disk; as in the image, so its owner may write.
        tasks: how many run.
        stop_seconds: from SIGTERM to SIGKILL; Fargate allows 120.
        hands_over: whether a new task may start beside the old one; if not, the old one ends first.
        environment: all its settings but those that every service has, so that it can be read here what runs.
        statements: what it may do.
    """

    service: str
    port: int
    cpu: int
    memory: int
    scratch: int = 64
    state: str | None = None
    tasks: int = 1
    stop_seconds: int
    hands_over: bool
    environment: Mapping[str, str] = field(default_factory=dict)
    statements: Sequence[iam.PolicyStatement] = ()


class Worker(Construct):
    """One service, found in the VPC as `<service>.storepulse-<env>.internal`."""

    def __init__(self, scope: Construct, construct_id: str, *, place: Place, task: Task) -> None:
        """Run `task` in `place`."""
        super().__init__(scope, construct_id)
        self.name = task.service
        self._place, self._task, names = place, task, place.names
        self.log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=names.log_group(task.service),
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self._count_errors()
        self.definition = self._definition()
        self._container()
        self.service = self._service()

    def _count_errors(self) -> None:
        logs.MetricFilter(
            self,
            "Errors",
            log_group=self.log_group,
            filter_pattern=logs.FilterPattern.literal(ERROR_LINES),
            metric_namespace=LOGS_NAMESPACE,
            metric_name=ERRORS_METRIC.format(service=self.name),
        )

    def _definition(self) -> ecs.FargateTaskDefinition:
        definition = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=f"{self._place.names.prefix}-{self.name}",
            cpu=self._task.cpu,
            memory_limit_mib=self._task.memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.X86_64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
            task_role=self._role("Role", *self._task.statements),
            execution_role=self._role("ExecutionRole"),
        )
        acknowledge(
            definition.obtain_execution_role(), "IAM5[Resource::*]", reason="ecr:GetAuthorizationToken has no resource."
        )
        acknowledge(
            definition, "ECS2", reason="The environment holds names, ports and a region; no service has a secret."
        )
        return definition

    def _role(self, construct_id: str, *statements: iam.PolicyStatement) -> iam.Role:
        """Return a role that only tasks of this account and region can take."""
        names = self._place.names
        tasks = iam.ServicePrincipal(
            "ecs-tasks.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": names.account},
                "ArnLike": {"aws:SourceArn": names.arn("ecs", "*")},
            },
        )
        role = iam.Role(self, construct_id, assumed_by=tasks)
        for statement in statements:
            role.add_to_principal_policy(statement)
        return role

    def _container(self) -> None:
        task = self._task
        container = self.definition.add_container(
            task.service,
            image=image_of(task.service),
            user=USER,
            readonly_root_filesystem=True,
            environment=self._environment(),
            port_mappings=[ecs.PortMapping(container_port=task.port, name="operations")],
            stop_timeout=Duration.seconds(task.stop_seconds),
            enable_restart_policy=True,  # in place, with its host name; a new task takes a minute
            restart_attempt_period=Duration.seconds(60),  # one that lived shorter ends its task
            health_check=ecs.HealthCheck(
                command=list(HEALTH_COMMAND),
                interval=Duration.seconds(15),
                timeout=Duration.seconds(5),
                retries=3,
                start_period=Duration.seconds(60),
            ),
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix=task.service,
                log_group=self.log_group,
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,  # CloudWatch Logs being away must not stop the counting
                max_buffer_size=Size.mebibytes(4),
            ),
            linux_parameters=self._linux(),
        )
        if task.state:
            self.definition.add_volume(name="state")
            container.add_mount_points(
                ecs.MountPoint(container_path=task.state, read_only=False, source_volume="state")
            )

    def _linux(self) -> ecs.LinuxParameters:
        """Reap what ends, and give it memory for the folder that it may write."""
        linux = ecs.LinuxParameters(self, "Linux", init_process_enabled=True)
        linux.drop_capabilities(ecs.Capability.ALL)
        linux.add_tmpfs(
            ecs.Tmpfs(
                container_path="/tmp",  # noqa: S108 - a file system of this container alone
                size=self._task.scratch,
                mount_options=[ecs.TmpfsMountOption.NOSUID, ecs.TmpfsMountOption.NODEV],
            )
        )
        return linux

    def _environment(self) -> dict[str, str]:
        prefix = self.name.upper()
        return {
            "AWS_REGION": self._place.names.region,
            f"{prefix}_HOST": "0.0.0.0",  # noqa: S104 - the security group lets in operators alone
            f"{prefix}_PORT": str(self._task.port),
            f"{prefix}_LOG_LEVEL": "INFO",
            **self._task.environment,
        }

    def _service(self) -> ecs.FargateService:
        hands_over = self._task.hands_over
        return ecs.FargateService(
            self,
            "Service",
            service_name=self.name,
            cluster=self._place.cluster,
            task_definition=self.definition,
            platform_version=ecs.FargatePlatformVersion.VERSION1_4,
            desired_count=self._task.tasks,
            min_healthy_percent=100 if hands_over else 0,
            max_healthy_percent=200 if hands_over else 100,
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            assign_public_ip=False,
            security_groups=[self._security_group()],
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            cloud_map_options=ecs.CloudMapOptions(name=self.name, dns_ttl=Duration.seconds(10)),
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )

    def _security_group(self) -> ec2.SecurityGroup:
        """Let out HTTPS (DNS is the VPC's own), and let in operators to the operations page."""
        group = ec2.SecurityGroup(
            self, "Group", vpc=self._place.cluster.vpc, description=f"{self.name} tasks", allow_all_outbound=False
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS")
        group.add_ingress_rule(self._place.operators, ec2.Port.tcp(self._task.port), "operations page")
        return group
