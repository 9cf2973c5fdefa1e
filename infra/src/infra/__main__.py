"""`python -m infra synth [--local] [--output FILE]`: write the data stack's template."""

import argparse
import sys
from pathlib import Path

from infra import settings


def main(arguments: list[str] | None = None) -> None:
    """Write the template to a file, or to stdout."""
    options = parser().parse_args(arguments)
    settings.use_bundled_node()
    from infra import config, synthesis  # noqa: PLC0415 - CDK starts Node.js when it is imported

    chosen = (
        config.LOCAL
        if options.local
        else config.Config(
            env_name=options.env,
            account=settings.default_account(),
            region=settings.default_region(),
            alert_email=options.alert_email,
        )
    )
    text = synthesis.as_text(synthesis.without_metadata(synthesis.synthesise(chosen)))
    if options.output:
        options.output.write_text(text)
    else:
        sys.stdout.write(text)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(prog="python -m infra", description="Storepulse's infrastructure as templates.")
    synth = top.add_subparsers(required=True).add_parser("synth", help="write the data stack's template")
    synth.add_argument("--local", action="store_true", help="for the emulator instead of AWS")
    synth.add_argument("--env", default="dev", help="name of the deployment (default: %(default)s)")
    synth.add_argument("--alert-email", help="who gets the alerts by e-mail")
    synth.add_argument("--output", type=Path, help="where to write it (default: stdout)")
    return top


if __name__ == "__main__":
    main()
