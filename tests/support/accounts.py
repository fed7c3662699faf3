"""The access keys that every server under test knows: three users of three organisations."""

from dataclasses import dataclass

REGION = "local-1"


@dataclass(frozen=True)
class Account:
    """One access key and the user it belongs to."""

    access_key: str
    secret_key: str
    user: str
    org: str

    @property
    def display_name(self) -> str:
        return f"{self.user} display"


MAIN = Account("MAINACCESSKEY0000001", "main/secret+key0000000000000000000000001", "main", "org-main")
ALT = Account("ALTACCESSKEY00000001", "alt-secret-key-00000000000000000000000001", "alt", "org-alt")
TENANT = Account("TENANTACCESSKEY00001", "tenant-secret-key-000000000000000000001", "tenant", "org-tenant")

ACCOUNTS = (MAIN, ALT, TENANT)
