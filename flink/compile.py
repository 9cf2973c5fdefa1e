"""Makes the jar that the job needs over recordings: `flink/.venv/bin/python flink/compile.py`; no Maven, no JDK.

Flink's own compiler of the code that it generates takes the sources; so they keep to what it knows (no lambdas, no type
parameters of our own). What is deployed is compiled from the same sources by Maven, with the connector beside it.
"""

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pyflink.java_gateway import get_gateway

HERE: Final = Path(__file__).parent
JAR: Final = HERE / "target" / "recordings.jar"
SOURCES: Final = [*(HERE / "src/main/java/storepulse/flink").glob("*.java"), *(HERE / "src/files/java").rglob("*.java")]
RESOURCES: Final = HERE / "src/files/resources"


def compile_to(classes: Path) -> None:
    """Write the classes of `SOURCES` into the folder `classes`."""
    jvm = get_gateway().jvm
    files = get_gateway().new_array(jvm.java.io.File, len(SOURCES))
    for position, source in enumerate(SOURCES):
        files[position] = jvm.java.io.File(str(source))
    compiler = jvm.org.codehaus.janino.Compiler()
    compiler.setDestinationDirectory(jvm.java.io.File(str(classes)), False)  # noqa: FBT003 - Java
    compiler.setSourceVersion(8)
    compiler.setTargetVersion(8)
    compiler.compile(files)


def main() -> None:
    """Make the jar, whole or not at all."""
    JAR.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=JAR.parent) as folder:
        classes, jar = Path(folder) / "classes", Path(folder) / JAR.name
        classes.mkdir()
        compile_to(classes)
        with zipfile.ZipFile(jar, "w") as archive:
            for root in (classes, RESOURCES):
                for path in sorted(each for each in root.rglob("*") if each.is_file()):
                    archive.write(path, path.relative_to(root))
        jar.replace(JAR)


if __name__ == "__main__":
    main()
