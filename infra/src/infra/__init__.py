"""Storepulse's AWS infrastructure as code.

`application` builds the CDK app from a `Config` (`config`); one stack per folder, one construct per module:
`data` holds what keeps events and results. `python -m infra synth --local` writes the template that the
emulator is given.
"""
