"""The AWS account on a laptop.

Where to look: `emulator` starts ministack with two repairs (`repairs`); `deployer` makes infra's data stack in it from
the committed template; `firehose` archives stream 1 as Amazon Data Firehose would; `services` says which processes
exist and with which settings; `supervisor` keeps them alive as ECS would; `up`, `down`, `logs` and `status` are what
`make` calls. `preflight` turns a machine that cannot run all this into one clear line.
"""
