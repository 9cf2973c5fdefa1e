"""Tests of `local` without its environment.

`local` runs in an environment of its own (the emulator pins what the workspace must be free to move), but all it
imports except the emulator is in the workspace too; so tests import it from local/src, which is on pytest's and mypy's
path, and what needs the emulator runs as a process of local's environment, in tests/integration/local.
"""
