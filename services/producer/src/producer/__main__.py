"""`python -m producer`."""

from producer.cli import cli

cli(prog_name="producer")
