"""Keys of a customer for SSE-C, as boto3 parameters and as headers."""

import base64
import hashlib
from dataclasses import dataclass

HEADER = "x-amz-server-side-encryption-customer-"
COPY_SOURCE_HEADER = "x-amz-copy-source-server-side-encryption-customer-"


@dataclass(frozen=True)
class CustomerKey:
    """One 32-byte key; two of different seeds differ."""

    raw: bytes

    @classmethod
    def of(cls, seed: str) -> "CustomerKey":
        return cls(hashlib.sha256(seed.encode()).digest())

    @property
    def base64(self) -> str:
        return base64.b64encode(self.raw).decode()

    @property
    def md5(self) -> str:
        return base64.b64encode(hashlib.md5(self.raw).digest()).decode()

    @property
    def parameters(self) -> dict:
        """For boto3, which encodes the key and adds its MD5."""
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": self.raw}

    @property
    def encoded_parameters(self) -> dict:
        """For the calls where boto3 does not: GetObjectAttributes and ListParts."""
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": self.base64, "SSECustomerKeyMD5": self.md5}

    @property
    def source_parameters(self) -> dict:
        """The same for the source of a copy."""
        return {f"CopySource{name}": value for name, value in self.parameters.items()}

    def headers(self, prefix: str = HEADER) -> dict[str, str]:
        return {f"{prefix}algorithm": "AES256", f"{prefix}key": self.base64, f"{prefix}key-md5": self.md5}
