from tests.infra.synthesis import Template, of_type


def test_tasks_have_a_subnet_in_each_of_two_zones_and_no_route_in(network: Template) -> None:
    names = [
        next(tag["Value"] for tag in subnet["Tags"] if tag["Key"] == "aws-cdk:subnet-name")
        for subnet in of_type(network, "EC2::Subnet")
    ]
    assert sorted(names) == ["public", "public", "tasks", "tasks"]
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in of_type(network, "EC2::Subnet"))


def test_what_there_is_most_of_does_not_pass_the_gateway_that_is_paid_per_byte(network: Template) -> None:
    endpoints = of_type(network, "EC2::VPCEndpoint")
    kinds = {str(each["ServiceName"]).rpartition(".")[2].strip("\"'}]"): each["VpcEndpointType"] for each in endpoints}
    assert kinds == {"s3": "Gateway", "dynamodb": "Gateway", "kinesis-streams": "Interface"}
    assert len(of_type(network, "EC2::NatGateway")) == 1


def test_nothing_comes_in_from_outside_of_the_vpc(network: Template) -> None:
    groups = of_type(network, "EC2::SecurityGroup")
    sources = [rule["CidrIp"] for group in groups for rule in group.get("SecurityGroupIngress", [])]
    assert sources == ["10.20.0.0/20"]


def test_what_is_refused_is_logged_for_a_month(network: Template) -> None:
    (flow,) = of_type(network, "EC2::FlowLog")
    assert flow["TrafficType"] == "REJECT"
    (group,) = of_type(network, "Logs::LogGroup")
    assert group["RetentionInDays"] == 30
