"""Builds libchroma with Swift and the extension over it, and puts both into the package.

A wheel needs none of what it was built with: libchroma.so.1 has the Swift runtime and SQLite
inside and lies beside the extension, which looks for it there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from email import message_from_string
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent

# Where the engine's sources are: around this folder, or within it in a source distribution.
ENGINE = HERE / "engine"
ROOT = ENGINE if ENGINE.exists() else HERE.parent

# What of the repository a source distribution takes along. Swift wants the folder of every target
# that the manifest names, the tests' too.
ENGINE_SOURCES = ("Package.swift", "Sources", "Tests", "include", "Benchmarks/Index")

# The name that the extension asks the loader for, libchroma's SONAME.
LIBRARY = "libchroma.so.1"

# Archives that libchroma takes in, and the Debian packages that have them.
ARCHIVES = {"libsqlite3.a": "libsqlite3-dev", "libzstd.a": "libzstd-dev"}


def refuse(sentence: str) -> None:
    sys.exit(f"chromadb cannot be built: {sentence}")


def output(*command: str) -> str | None:
    """What a command prints, or None where it is missing or fails."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def version() -> str:
    """The version by the tags of the repository; without any, the release that the sources say.

    Commits since the tag are counted, as in 1.5.9+0.1.0.12.g1a2b3c4. A source distribution says the
    version that it was made at, in whatever repository it may have been unpacked.
    """
    stated = HERE / "PKG-INFO"
    if stated.exists():
        return message_from_string(stated.read_text(encoding="utf-8"))["Version"]
    described = output("git", "describe", "--tags", "--match", "v[0-9]*")
    if described is not None:
        return described.removeprefix("v").replace("-", ".")
    release = ROOT / "Sources/ChromaBase/Release.swift"
    if not release.exists():
        refuse(f"{ROOT} is no checkout of the repository. The engine is built from its sources.")
    found = re.search(r'version = "([^"]+)"', release.read_text(encoding="utf-8"))
    assert found, f"{release} states no version"
    return found.group(1)


class BuildPy(build_py):
    """Copies the packages. What an earlier build left behind must not get into the wheel."""

    def run(self) -> None:
        if not self.editable_mode:
            for package in ("chromadb", "chromadb_swift_bindings"):
                shutil.rmtree(Path(self.build_lib) / package, ignore_errors=True)
        super().run()


class SourceDistribution(sdist):
    """Takes the engine's sources along, so that a wheel can be built of the archive alone."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        for file in engine_files():
            target = Path(base_dir, ENGINE.name, file)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, target)


def engine_files() -> list[str]:
    """What the repository tracks of the engine's sources, by paths within it."""
    tracked = output("git", "ls-files", "-z", *ENGINE_SOURCES)
    if tracked:
        return [file for file in tracked.split("\0") if file]
    found = [path for path in ROOT.rglob("*") if path.is_file()]
    return [str(path.relative_to(ROOT)) for path in found if ".build" not in path.parts]


class BuildExtension(build_ext):
    """Builds libchroma, then the extension, and lays the library beside it."""

    def run(self) -> None:
        refuse_free_threading()
        self.library = build_library()
        super().run()

    def build_extensions(self) -> None:
        # Some builds of Python name their own folder here. On another machine it is not there, or
        # it is someone else's.
        linker = self.compiler.linker_so
        self.compiler.linker_so = [flag for flag in linker if not flag.startswith("-Wl,-rpath")]
        super().build_extensions()

    def build_extension(self, extension: Extension) -> None:
        extension.library_dirs.append(str(self.library.parent))
        super().build_extension(extension)
        self.lay_library(Path(self.get_ext_fullpath(extension.name)).parent)

    def copy_extensions_to_source(self) -> None:
        """Of an editable installation, which runs from the checkout."""
        super().copy_extensions_to_source()
        self.lay_library(HERE / "chromadb_swift_bindings")

    def lay_library(self, folder: Path) -> None:
        target = folder / LIBRARY
        # A new file: a process that runs may have the old one mapped.
        target.unlink(missing_ok=True)
        shutil.copyfile(self.library, target)
        target.chmod(0o755)
        subprocess.run(["strip", "--strip-unneeded", str(target)], check=True)


def refuse_free_threading() -> None:
    """The extension has the stable ABI, which no build of Python without the GIL has so far."""
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        refuse(
            "this Python is free-threaded. Use a build with the GIL, which chromadb releases "
            "while the engine works."
        )


def build_library() -> Path:
    """Runs Swift in the repository's own build folder, so that a second build finds the first."""
    if shutil.which("swift") is None:
        refuse(
            "there is no `swift` on PATH. Install Swift 6.3 or later (https://swift.org/install)."
        )
    if shutil.which("cc") is None:
        refuse("there is no C compiler. Install one, on Debian with: apt-get install gcc libc6-dev")
    for archive, package in ARCHIVES.items():
        if found_by_compiler(archive) is None:
            refuse(f"{archive} is missing. Install it, on Debian with: apt-get install {package}")
    command = ["swift", "build", "-c", "release", "--product", "chroma", *static_runtime_flags()]
    subprocess.run(command, cwd=ROOT, check=True)
    folder = output(*command, "--show-bin-path")
    assert folder, "Swift built the library and does not know where"
    return Path(folder) / "libchroma.so"


def static_runtime_flags() -> list[str]:
    """Makes Swift link the static libstdc++, which keeps the wheel from needing a shared one.

    The toolchain asks for -lstdc++ by name. A folder that has nothing but the archive decides it.
    """
    archive = found_by_compiler("libstdc++.a")
    if archive is None:
        return []
    folder = ROOT / ".build" / "static-libstdc++"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / archive.name
    if not link.is_symlink() or link.resolve() != archive.resolve():
        link.unlink(missing_ok=True)
        link.symlink_to(archive)
    return ["-Xlinker", f"-L{folder}"]


def found_by_compiler(file: str) -> Path | None:
    """Where the C compiler finds a library, if it does."""
    path = Path(output("cc", f"-print-file-name={file}") or "")
    return path if path.is_absolute() else None


setup(
    version=version(),
    ext_modules=[
        Extension(
            "chromadb_swift_bindings._chroma",
            sources=[
                str(path.relative_to(HERE)) for path in sorted((HERE / "src/_chroma").glob("*.c"))
            ],
            depends=["src/_chroma/module.h", str(ROOT / "include/chroma.h")],
            include_dirs=[str(ROOT / "include")],
            libraries=["chroma"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            extra_compile_args=["-std=c11", "-fvisibility=hidden", "-Wall", "-Wextra"],
            extra_link_args=["-Wl,-rpath,$ORIGIN", "-Wl,--strip-all", "-pthread"],
            py_limited_api=True,
        )
    ],
    cmdclass={"build_py": BuildPy, "build_ext": BuildExtension, "sdist": SourceDistribution},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
