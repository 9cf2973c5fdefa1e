"""The network stack; why it looks so, and what it costs: docs/adr/0014."""

from typing import Any, Final

from aws_cdk import Fn, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import Config
from infra.names import Names

ZONES: Final = 2
CIDR: Final = "10.20.0.0/20"
HTTPS: Final = ec2.Port.tcp(443)


class NetworkStack(Stack):
    """Private subnets in two zones; out through NAT, to S3, DynamoDB and Kinesis without it; nothing comes in."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config, **stack: Any) -> None:  # noqa: ANN401 - Stack's
        """Make the stack of one deployment."""
        super().__init__(scope, construct_id, description="Storepulse: network", **stack)
        self.vpc = self._vpc(config)
        self._log_what_is_rejected(config.names)
        self.vpc.add_interface_endpoint(
            "Kinesis",
            service=ec2.InterfaceVpcEndpointAwsService.KINESIS_STREAMS,
            security_groups=[self._endpoint_group()],
            open=False,
        )
        self.operators = ec2.SecurityGroup(
            self,
            "Operators",
            vpc=self.vpc,
            security_group_name=f"{config.names.prefix}-operators",
            description="May reach the operations pages: for a CloudShell environment in this VPC",
            allow_all_outbound=False,
        )
        self.operators.add_egress_rule(ec2.Peer.ipv4(CIDR), ec2.Port.tcp_range(8081, 8083), "operations pages")
        self.operators.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "AWS")

    @property
    def availability_zones(self) -> list[str]:
        """The zones, named when the stack is deployed: a synthesis asks no account for them."""
        return [Fn.select(zone, Fn.get_azs()) for zone in range(ZONES)]

    def _vpc(self, config: Config) -> ec2.Vpc:
        gateways = {"S3": ec2.GatewayVpcEndpointAwsService.S3, "DynamoDb": ec2.GatewayVpcEndpointAwsService.DYNAMODB}
        return ec2.Vpc(
            self,
            "Vpc",
            vpc_name=config.names.prefix,
            ip_addresses=ec2.IpAddresses.cidr(CIDR),
            max_azs=ZONES,
            nat_gateways=config.nat_gateways,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=26, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="tasks", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=23),
            ],
            gateway_endpoints={
                name: ec2.GatewayVpcEndpointOptions(service=service) for name, service in gateways.items()
            },
            restrict_default_security_group=False,  # by a Lambda of CDK's with a wide role; nothing uses that group
        )

    def _log_what_is_rejected(self, names: Names) -> None:
        """Log refused connections alone: what is let through is many times as much, and paid per byte."""
        group = logs.LogGroup(
            self,
            "FlowLog",
            log_group_name=names.log_group("network"),
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.vpc.add_flow_log(
            "Rejected",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )

    def _endpoint_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "Endpoint", vpc=self.vpc, description="Kinesis, from this VPC", allow_all_outbound=False
        )
        group.add_ingress_rule(ec2.Peer.ipv4(CIDR), HTTPS, "from this VPC")
        return group
