"""FUSE mounts of a bucket: start the client, wait for the mount, unmount whatever happens."""

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

MOUNT_TIMEOUT_S = 20
UNMOUNT_TIMEOUT_S = 20

needs_fuse = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="/dev/fuse is missing: nothing can be mounted")


@contextlib.contextmanager
def mounted(directory: Path, command: list, environment: dict[str, str], log: Path):
    """Runs `command`, which must mount `directory` and stay in the foreground; unmounts it at the end.

    The end waits for the client, so that all it had to write is in the bucket.
    """
    directory.mkdir()
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment},
        )
    try:
        _wait_for_mount(directory, process, log)
        yield directory
    finally:
        _unmount(directory, process)


def _wait_for_mount(directory: Path, process: subprocess.Popen, log: Path) -> None:
    started = time.monotonic()
    while not os.path.ismount(directory):
        assert process.poll() is None, f"ended with {process.returncode}\n{log.read_text(errors='replace')}"
        assert time.monotonic() - started < MOUNT_TIMEOUT_S, f"no mount\n{log.read_text(errors='replace')}"
        time.sleep(0.02)


def _unmount(directory: Path, process: subprocess.Popen) -> None:
    fusermount = shutil.which("fusermount3") or shutil.which("fusermount")
    assert fusermount, "fusermount is missing: run scripts/install_clients"
    try:
        if os.path.ismount(directory):
            # A failed test may have left a file open there; a lazy unmount works even so.
            plain = subprocess.run([fusermount, "-u", directory], capture_output=True)
            if plain.returncode != 0:
                subprocess.run([fusermount, "-u", "-z", directory], check=True, capture_output=True)
        process.wait(UNMOUNT_TIMEOUT_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
