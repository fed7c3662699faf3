"""The five object checksums as the base64 text that S3 headers carry."""

import base64
import hashlib

from awscrt import checksums as crt

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


def digest(algorithm: str, content: bytes) -> bytes:
    match algorithm:
        case "CRC32":
            return crt.crc32(content).to_bytes(4, "big")
        case "CRC32C":
            return crt.crc32c(content).to_bytes(4, "big")
        case "CRC64NVME":
            return crt.crc64nvme(content).to_bytes(8, "big")
        case "SHA1":
            return hashlib.sha1(content).digest()
        case "SHA256":
            return hashlib.sha256(content).digest()
    raise ValueError(algorithm)


def checksum(algorithm: str, content: bytes) -> str:
    """base64 of the digest."""
    return base64.b64encode(digest(algorithm, content)).decode()


def header(algorithm: str) -> str:
    return f"x-amz-checksum-{algorithm.lower()}"


def member(algorithm: str) -> str:
    """The name boto3 gives the value, such as ChecksumCRC32."""
    return f"Checksum{algorithm}"


def content_md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()
