"""Bytes to store: reproducible, and different enough that a torn or swapped object is seen."""

import hashlib
import random

KIB = 1024
MIB = 1024 * 1024
# A frame on disk is 64 KiB with a 32-byte footer: sizes around this payload cross a frame's edge.
FRAME_PAYLOAD = 64 * KIB - 32

EDGE_SIZES = [
    0,
    1,
    4095,
    4096,
    4097,
    8191,
    8192,
    8193,
    FRAME_PAYLOAD - 1,
    FRAME_PAYLOAD,
    FRAME_PAYLOAD + 1,
    64 * KIB,
    256 * KIB - 1,
    256 * KIB,
    256 * KIB + 1,
    MIB,
    8 * MIB + 3,
]


def payload(size: int, seed: int = 0) -> bytes:
    """`size` random bytes, always the same for the same seed."""
    return random.Random(f"{seed}/{size}").randbytes(size)


def md5_hex(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def etag(content: bytes) -> str:
    """The ETag of a single-part object, with its quotes."""
    return f'"{md5_hex(content)}"'


def pieces(size: int):
    """`size` bytes in pieces of a MiB, each different from the one before."""
    block = random.Random(5).randbytes(MIB)
    for index in range(0, size, MIB):
        yield (index.to_bytes(8, "big") + block[8:])[: size - index]
