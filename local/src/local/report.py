"""What the command line shows, for people."""

from rich.console import Console
from rich.table import Table

from local.deployer import Deployment

console = Console()


def show_deployment(deployment: Deployment) -> None:
    """Print one stack's resources."""
    table = Table(title=f"{deployment.stack}: {deployment.change}", title_justify="left", box=None, padding=(0, 2))
    table.add_column("resource", style="dim")
    table.add_column("name")
    for kind, name in deployment.resources:
        table.add_row(kind.removeprefix("AWS::"), name)
    console.print(table)
