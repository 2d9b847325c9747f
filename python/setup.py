"""Builds the native part of the package: libchroma, and the extension over it.

Both land beside the Python files, so that a wheel holds all it needs: `libchroma.so.1` is found by
the extension's run path, and links the Swift runtime and SQLite statically. Swift is needed to
build, not to run. CHROMA_LIBRARY names a libchroma.so that is already built.
"""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

# What the extension asks the loader for, whatever the file was called that it was linked with.
LIBRARY_NAME = "libchroma.so.1"


def built_library() -> Path:
    given = os.environ.get("CHROMA_LIBRARY")
    if given:
        return Path(given).resolve()
    build = ["swift", "build", "--configuration", "release", "--product", "chroma"]
    subprocess.run(build, cwd=ROOT, check=True)
    shown = subprocess.run(
        [*build, "--show-bin-path"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return Path(shown.stdout.strip()) / "libchroma.so"


class BuildWithLibrary(build_ext):
    """Builds libchroma first, links with it, and puts it beside the extension."""

    def build_extension(self, extension: Extension) -> None:
        library = built_library()
        extension.extra_objects.append(str(library))
        super().build_extension(extension)
        target = Path(self.get_ext_fullpath(extension.name)).parent / LIBRARY_NAME
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(library, target)


setup(
    ext_modules=[
        Extension(
            "chromadb._chroma",
            sources=sorted(str(path.relative_to(HERE)) for path in HERE.glob("src/_chroma/*.c")),
            depends=[str(ROOT / "include" / "chroma.h")],
            include_dirs=[str(ROOT / "include")],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            extra_compile_args=["-std=c11", "-fvisibility=hidden", "-Wall", "-Wextra"],
            extra_link_args=["-Wl,-rpath,$ORIGIN"],
            py_limited_api=True,
        )
    ],
    cmdclass={"build_ext": BuildWithLibrary},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
