"""`python -m local`: the command line."""

from local.cli import main

main()
