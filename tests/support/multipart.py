"""Multipart uploads in a few calls, and the ETag that must come out of one."""

import hashlib
from xml.sax.saxutils import escape

from support.payload import MIB

# Every part but the last must have this many bytes, judged when the upload is completed.
MIN_PART = 5 * MIB


def begin(client, bucket: str, key: str, **parameters) -> str:
    """Starts an upload; returns its id."""
    return client.create_multipart_upload(Bucket=bucket, Key=key, **parameters)["UploadId"]


def put_part(client, bucket: str, key: str, upload: str, number: int, content: bytes, **parameters) -> dict:
    """Uploads one part; returns what Complete names it by."""
    answer = client.upload_part(
        Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=content, **parameters
    )
    return {"PartNumber": number, "ETag": answer["ETag"]}


def complete(client, bucket: str, key: str, upload: str, parts: list[dict], **parameters) -> dict:
    return client.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **parameters
    )


def store(client, bucket: str, key: str, contents: list[bytes], **creation) -> dict:
    """A whole upload of parts 1, 2, …; returns the answer of Complete."""
    upload = begin(client, bucket, key, **creation)
    parts = [put_part(client, bucket, key, upload, number, content) for number, content in enumerate(contents, 1)]
    return complete(client, bucket, key, upload, parts)


def etag(contents: list[bytes]) -> str:
    """The ETag of an object of these parts, with its quotes."""
    digests = b"".join(hashlib.md5(content).digest() for content in contents)
    return f'"{hashlib.md5(digests).hexdigest()}-{len(contents)}"'


def document(parts: list[dict]) -> bytes:
    """The body of Complete, for requests by hand."""
    entries = "".join(
        "<Part>" + "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in part.items()) + "</Part>"
        for part in parts
    )
    return f"<CompleteMultipartUpload>{entries}</CompleteMultipartUpload>".encode()


def listed(client, bucket: str, key: str, upload: str) -> list[tuple[int, int]]:
    """Number and size of every part, in listing order."""
    pages = client.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload)
    return [(part["PartNumber"], part["Size"]) for page in pages for part in page.get("Parts", [])]
