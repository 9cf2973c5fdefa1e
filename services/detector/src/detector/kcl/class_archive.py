"""Makes the class archive of the daemon, with which Java starts at less than half of the CPU.

`python -m detector.kcl.class_archive`: Java writes the classes that a run of the daemon has loaded, parsed and verified
to a file that the next starts map into memory (class data sharing). The run to learn from is of a daemon whose AWS
answers nothing. The archive belongs to the jars and to one build of Java; another ignores it, and starts as without.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from threading import Timer
from typing import Final

from pydantic import AnyHttpUrl

from detector.kcl.java import find_java
from detector.kcl.runfiles import CLASS_ARCHIVE, RunFiles, java_command, write_run_files
from detector.settings import DetectorSettings, java_environment

#: The daemon has made its clients, and the first call of each has failed.
LEARNED: Final = "Initializing LeaseCoordinator attempt 3"
#: By then it has, on any machine, or it never will.
LONGEST_SECONDS: Final = 60.0
NOWHERE: Final = AnyHttpUrl("http://127.0.0.1:1")
_CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}


def main() -> None:
    """Write the archive where `java_command` looks for it.

    Raises:
        JavaNotFoundError: no Java will do.
        OSError: the folder of the archive cannot be written.
    """
    CLASS_ARCHIVE.parent.mkdir(parents=True, exist_ok=True)
    settings = DetectorSettings(endpoint_url=NOWHERE, shutdown_grace_seconds=1)
    files = write_run_files(settings)
    with tempfile.TemporaryDirectory(dir=CLASS_ARCHIVE.parent) as folder:
        archive = Path(folder) / "new.jsa"
        try:
            _run(find_java(java_environment()), archive, files, settings)
            archive.replace(CLASS_ARCHIVE)  # whole, or not at all
        finally:
            files.remove()


def _run(java: str, archive: Path, files: RunFiles, settings: DetectorSettings) -> None:
    """Run a daemon until it has loaded what it needs, and let it write its archive at its end."""
    command = java_command(java, files, settings, archive=None)
    command.insert(1, f"-XX:ArchiveClassesAtExit={archive}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | _CREDENTIALS
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=files.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as daemon:
        timer = Timer(LONGEST_SECONDS, daemon.terminate)
        timer.start()
        for line in daemon.stdout or ():
            if LEARNED in line:
                daemon.terminate()
        timer.cancel()


if __name__ == "__main__":
    main()
