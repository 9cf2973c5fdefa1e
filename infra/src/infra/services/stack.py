"""The services stack: a cluster and the three services."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.config import Config
from infra.data.stack import DataStack
from infra.network.stack import NetworkStack
from infra.services.detector import Detector
from infra.services.producer import Producer
from infra.services.windower import Windower
from infra.services.worker import Place, Worker


class ServicesStack(Stack):
    """Producer, windower and detector on Fargate."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        data: DataStack,
        network: NetworkStack,
        **stack: Any,  # noqa: ANN401 - Stack's
    ) -> None:
        """Run the services of one deployment."""
        super().__init__(scope, construct_id, description="Storepulse: services", **stack)
        self.add_stack_dependency(data)
        names = config.names
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=names.prefix,
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
            default_cloud_map_namespace=ecs.CloudMapNamespaceOptions(name=f"{names.prefix}.internal"),
        )
        place = Place(cluster=self.cluster, operators=network.operators, key=data.key, names=names)
        self.producer = Producer(self, "Producer", place=place)
        self.windower = Windower(self, "Windower", place=place, tasks=config.windower_tasks)
        self.detector = Detector(
            self, "Detector", place=place, tasks=config.detector_tasks, shards=config.detector_shards
        )

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The services, in the order in which an event passes them."""
        return (self.producer, self.windower, self.detector)
