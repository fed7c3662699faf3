"""ListObjectVersions as it stands on the wire, where versions and delete markers are interleaved."""

from dataclasses import dataclass

from support import wire


@dataclass(frozen=True)
class Entry:
    """One version or delete marker."""

    key: str
    version: str
    is_latest: bool
    is_marker: bool


@dataclass(frozen=True)
class Page:
    """What one answer holds."""

    entries: list[Entry]
    prefixes: list[str]
    is_truncated: bool
    next_key: str | None
    next_version: str | None


def page(address, bucket: str, **query: str) -> Page:
    """One answer; names of the query as on the wire with `_` for `-`."""
    pairs = [("versions", ""), *((name.replace("_", "-"), value) for name, value in query.items())]
    response = wire.call(address, "GET", f"/{bucket}", query=pairs)
    assert response.status == 200, response.body
    root = response.xml()
    assert root.tag == f"{wire.NAMESPACE}ListVersionsResult"

    def text(element, name):
        return element.findtext(f"{wire.NAMESPACE}{name}")

    entries, prefixes = [], []
    for element in root:
        kind = element.tag.removeprefix(wire.NAMESPACE)
        if kind in ("Version", "DeleteMarker"):
            is_latest = {"true": True, "false": False}[text(element, "IsLatest")]
            entries.append(Entry(text(element, "Key"), text(element, "VersionId"), is_latest, kind == "DeleteMarker"))
        elif kind == "CommonPrefixes":
            prefixes.append(text(element, "Prefix"))
    is_truncated = {"true": True, "false": False}[text(root, "IsTruncated")]
    return Page(entries, prefixes, is_truncated, text(root, "NextKeyMarker"), text(root, "NextVersionIdMarker"))


def walk(address, bucket: str, max_keys: int, **query: str) -> list[Page]:
    """All pages, by both markers."""
    pages, markers = [], {}
    while True:
        found = page(address, bucket, max_keys=str(max_keys), **query, **markers)
        assert len(found.entries) + len(found.prefixes) <= max_keys
        pages.append(found)
        if not found.is_truncated:
            return pages
        assert found.next_key is not None and (found.entries or found.prefixes), found
        markers = {"key_marker": found.next_key}
        if found.next_version is not None:
            markers["version_id_marker"] = found.next_version


def of(address, bucket: str, key: str | None = None) -> list[Entry]:
    """Every entry of the bucket, or of one key, in the order of the wire."""
    entries = [entry for found in walk(address, bucket, 1000) for entry in found.entries]
    return [entry for entry in entries if key is None or entry.key == key]
