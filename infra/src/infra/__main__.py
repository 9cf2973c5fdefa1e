"""`python -m infra synth [--local] [--stack PART] [--output FILE]`: write a template, or all into `--folder`."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from infra import settings


def main(arguments: list[str] | None = None) -> None:
    """Write one template to a file or to stdout, or all of them into a folder."""
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
            flink=options.flink,
        )
    )
    templates = synthesis.synthesise(chosen)
    texts = {part: synthesis.as_text(synthesis.without_metadata(each)) for part, each in templates.items()}
    if options.folder:
        write_all(texts, options.folder)
    elif options.output:
        options.output.write_text(texts[options.stack])
    else:
        sys.stdout.write(texts[options.stack])


def write_all(texts: Mapping[str, str], folder: Path) -> None:
    """Write `<part>.json` for each template."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, text in texts.items():
        (folder / f"{part}.json").write_text(text)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(prog="python -m infra", description="Storepulse's infrastructure as templates.")
    synth = top.add_subparsers(required=True).add_parser("synth", help="write templates")
    synth.add_argument("--local", action="store_true", help="for the emulator instead of AWS")
    synth.add_argument("--env", default="dev", help="name of the deployment (default: %(default)s)")
    synth.add_argument("--alert-email", help="who gets the alerts by e-mail")
    synth.add_argument("--flink", action="store_true", help="with the Flink stack")
    synth.add_argument("--stack", default="data", help="which one (default: %(default)s)")
    synth.add_argument("--folder", type=Path, help="write every stack's template into this folder instead")
    synth.add_argument("--output", type=Path, help="where to write it (default: stdout)")
    return top


if __name__ == "__main__":
    main()
