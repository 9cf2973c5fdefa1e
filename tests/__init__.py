"""One package: shared builders and fixtures beside the suites (docs/testing.md)."""
