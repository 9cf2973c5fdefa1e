"""The folder that the daemon and its children read: properties, logging, how to start a child, their settings."""

import os
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import amazon_kclpy

from detector.settings import AUTO_WORKER, DetectorSettings

#: What Java need not load, parse and verify again at each start; made by `class_archive`.
CLASS_ARCHIVE: Final = Path(sys.prefix) / "share" / "storepulse" / "kcl.jsa"

#: A prefix and tabs, so that `output` can tell the daemon's own lines; one line an event, stack trace included.
_PATTERN: Final = r"KCL\t%level\t%logger{0}\t%replace(%msg){'[\r\n\t]+',' '}\t%replace(%ex){'[\r\n\t]+',' '}%nopex%n"
LOGBACK: Final = f"""<configuration>
  <appender name="STDERR" class="ch.qos.logback.core.ConsoleAppender">
    <target>System.err</target>
    <encoder><pattern>{_PATTERN}</pattern></encoder>
  </appender>
  <logger name="software.amazon.kinesis" level="INFO"/>
  <logger name="software.amazon.kinesis.multilang.MultiLangProtocol" level="WARN"/>
  <logger name="software.amazon.kinesis.multilang.DrainChildSTDERRTask" level="OFF"/>
  <root level="WARN"><appender-ref ref="STDERR"/></root>
</configuration>
"""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Paths in one run folder."""

    folder: Path
    temporary: bool = True

    @property
    def properties(self) -> Path:
        """The daemon's settings."""
        return self.folder / "kcl.properties"

    @property
    def logging(self) -> Path:
        """How it writes its log."""
        return self.folder / "kcl-logback.xml"

    @property
    def settings(self) -> Path:
        """The detector's settings, for the children."""
        return self.folder / "settings.json"

    @property
    def children(self) -> Path:
        """A locked file for each child that lives."""
        return self.folder / "children"

    @property
    def metrics(self) -> Path:
        """prometheus_client's files of the children."""
        return self.folder / "metrics"

    def remove(self) -> None:
        """Delete the folder, unless somebody chose it."""
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def write_run_files(settings: DetectorSettings) -> RunFiles:
    """Make the run folder and fill it anew; nothing of an earlier run stays.

    Raises:
        OSError: the folder cannot be written.
    """
    files = RunFiles(_folder(settings.run_dir), temporary=settings.run_dir is None)
    for folder in (files.children, files.metrics):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    files.properties.write_text(properties(settings), encoding="utf-8")
    files.logging.write_text(LOGBACK, encoding="utf-8")
    files.settings.write_text(_for_children(settings).model_dump_json(), encoding="utf-8")
    (files.folder / "child.sh").write_text(_child_script(files), encoding="utf-8")
    return files


def _folder(chosen: Path | None) -> Path:
    if chosen is None:
        return Path(tempfile.mkdtemp(prefix="storepulse-detector-"))
    chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
    return chosen.resolve()


def _for_children(settings: DetectorSettings) -> DetectorSettings:
    """Return the settings without paths that hold only in this process's working directory."""
    return settings.model_copy(
        update={"allowed_users": settings.allowed(), "allowed_users_file": None, "run_dir": None}
    )


def _child_script(files: RunFiles) -> str:
    """Return how to start a child; a script, because the daemon splits its command at every space."""
    metrics, python, settings = (shlex.quote(str(path)) for path in (files.metrics, sys.executable, files.settings))
    return f"export PROMETHEUS_MULTIPROC_DIR={metrics}\nexec {python} -P -m detector.processor {settings}\n"


def properties(settings: DetectorSettings) -> str:
    """Return the daemon's properties file; why each value is what it is: README.md, "The daemon"."""
    grace_millis = int(settings.shutdown_grace_seconds * 1000)
    values = {
        "executableName": "sh ./child.sh",
        "processingLanguage": "python/3.11",
        "streamName": settings.stream,
        "applicationName": settings.application,
        "workerId": settings.worker,
        "regionName": settings.region,
        "AwsCredentialsProvider": "DefaultCredentialsProvider",
        "initialPositionInStream": settings.initial_position,
        "retrievalMode": "POLLING",
        "idleTimeBetweenReadsInMillis": settings.poll_millis,
        "maxRecords": settings.max_records,
        "callProcessRecordsEvenForEmptyRecordList": "true",
        "failoverTimeMillis": settings.failover_millis,
        "leaseAssignmentIntervalMillis": 1000,
        "shardSyncIntervalMillis": 1000 if settings.endpoint else 60_000,
        "parentShardPollIntervalMillis": 1000 if settings.endpoint else 10_000,
        "inMemoryWorkerMetricsCaptureFrequencyMillis": 200 if settings.endpoint else 1000,
        "workerMetricsReporterFreqInMillis": 2000 if settings.endpoint else 30_000,
        "schedulerInitializationBackoffTimeMillis": 500,
        "shutdownGraceMillis": grace_millis,
        "metricsLevel": "NONE",
    }
    if settings.endpoint:
        values |= {"kinesisEndpoint": settings.endpoint, "dynamoDBEndpoint": settings.endpoint}
    if settings.worker_id == AUTO_WORKER:
        values["clientVersionConfig"] = "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X"
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def java_command(
    java: str, files: RunFiles, settings: DetectorSettings, archive: Path | None = CLASS_ARCHIVE
) -> list[str]:
    """Return the daemon's command line, for the run folder as working directory; `archive` is used when it is there."""
    jars = sorted((Path(amazon_kclpy.__path__[0]) / "jars").glob("*.jar"))  # in one order, or no archive would fit
    cbor = ["-Daws.cborEnabled=false"] if settings.endpoint else []  # the emulator does not speak it
    shared = [f"-XX:SharedArchiveFile={archive}"] if archive is not None and archive.exists() else []
    return [
        java,
        f"-Xmx{settings.java_heap_mb}m",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:TieredStopAtLevel=1",  # it starts often and computes little
        "-XX:+UseSerialGC",
        *shared,
        "-Xlog:disable",  # an archive of another Java is no news; what ends the JVM is told anyway
        *cbor,
        f"-Dlogback.configurationFile={files.logging}",
        "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener",
        "-cp",
        os.pathsep.join(map(str, jars)),
        "software.amazon.kinesis.multilang.MultiLangDaemon",
        "--properties-file",
        str(files.properties),
    ]
