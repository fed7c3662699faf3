// What the AWS SDK for JavaScript v3 does with the node: each exported function is one scenario, run by
// test_javascript.py in a process and a bucket of its own: node scenarios.js NAME, settings in S3_ENDPOINT,
// S3_REGION, S3_BUCKET and the SDK's own variables.
"use strict";

const assert = require("node:assert/strict");
const { createHash, randomBytes } = require("node:crypto");
const { Readable } = require("node:stream");
const s3 = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const MIB = 1024 * 1024;
const Bucket = process.env.S3_BUCKET;
const client = new s3.S3Client({
  endpoint: process.env.S3_ENDPOINT,
  region: process.env.S3_REGION,
  forcePathStyle: true,
  maxAttempts: 1,
});

const put = (Key, Body, more = {}) => client.send(new s3.PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = (Key, more = {}) => client.send(new s3.GetObjectCommand({ Bucket, Key, ...more }));
const head = (Key, more = {}) => client.send(new s3.HeadObjectCommand({ Bucket, Key, ...more }));
const remove = (Key, more = {}) => client.send(new s3.DeleteObjectCommand({ Bucket, Key, ...more }));
const bytesOf = async (response) => Buffer.from(await response.Body.transformToByteArray());
const md5 = (bytes, encoding) => createHash("md5").update(bytes).digest(encoding);

async function refused(promise, status, name) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.$metadata?.httpStatusCode, status, `${error}`);
    assert.equal(error.name, name);
    return true;
  });
}

exports.put_get_and_head = async () => {
  const content = randomBytes(200_000);
  const stored = await put("dir/ключ + é", content, { ContentType: "text/x-test", Metadata: { colour: "green" } });
  assert.equal(stored.ETag, `"${md5(content, "hex")}"`);
  assert.ok(stored.ChecksumCRC32, "the SDK's default checksum");
  const got = await get("dir/ключ + é", { ChecksumMode: "ENABLED" });
  assert.deepEqual(await bytesOf(got), content);
  assert.equal(got.ChecksumCRC32, stored.ChecksumCRC32);
  const headed = await head("dir/ключ + é");
  assert.equal(headed.ContentLength, content.length);
  assert.equal(headed.ContentType, "text/x-test");
  assert.deepEqual(headed.Metadata, { colour: "green" });
  const part = await get("dir/ключ + é", { Range: "bytes=10-19" });
  assert.equal(part.ContentRange, `bytes 10-19/${content.length}`);
  assert.deepEqual(await bytesOf(part), content.subarray(10, 20));
  await refused(get("absent"), 404, "NoSuchKey");
  await refused(head("absent"), 404, "NotFound");
};

exports.put_of_a_stream_with_each_checksum = async () => {
  const content = randomBytes(150_000);
  for (const algorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]) {
    const body = Readable.from([content.subarray(0, 70_000), content.subarray(70_000)]);
    const stored = await put(algorithm, body, { ContentLength: content.length, ChecksumAlgorithm: algorithm });
    assert.ok(stored[`Checksum${algorithm}`], algorithm);
    const got = await get(algorithm, { ChecksumMode: "ENABLED" });
    assert.equal(got[`Checksum${algorithm}`], stored[`Checksum${algorithm}`]);
    assert.deepEqual(await bytesOf(got), content);
  }
};

exports.list_with_a_paginator = async () => {
  const names = Array.from({ length: 25 }, (_, number) => `list/${String(number).padStart(2, "0")} +é`);
  await Promise.all(names.map((name) => put(name, name)));
  const seen = [];
  let pages = 0;
  for await (const page of s3.paginateListObjectsV2({ client, pageSize: 10 }, { Bucket, Prefix: "list/" })) {
    pages += 1;
    seen.push(...page.Contents.map((entry) => entry.Key));
  }
  assert.deepEqual(seen, names);
  assert.equal(pages, 3);
  const grouped = await client.send(new s3.ListObjectsV2Command({ Bucket, Delimiter: "/" }));
  assert.deepEqual(grouped.CommonPrefixes, [{ Prefix: "list/" }]);
};

exports.upload_in_parts_with_lib_storage = async () => {
  const content = randomBytes(17 * MIB + 5);
  const upload = new Upload({
    client,
    params: { Bucket, Key: "parts", Body: Readable.from(content), ContentType: "text/x-parts" },
    partSize: 5 * MIB,
    queueSize: 4,
  });
  const done = await upload.done();
  assert.match(done.ETag, /^"[0-9a-f]{32}-4"$/);
  const got = await get("parts");
  assert.equal(got.ContentType, "text/x-parts");
  assert.deepEqual(await bytesOf(got), content);
  const second = await head("parts", { PartNumber: 2 });
  assert.equal(second.PartsCount, 4);
  assert.equal(second.ContentLength, 5 * MIB);
};

exports.abort_of_an_upload_in_parts = async () => {
  const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key: "left" }));
  const Body = randomBytes(1000);
  await client.send(new s3.UploadPartCommand({ Bucket, Key: "left", UploadId, PartNumber: 1, Body }));
  const parts = await client.send(new s3.ListPartsCommand({ Bucket, Key: "left", UploadId }));
  assert.deepEqual(parts.Parts.map((part) => [part.PartNumber, part.Size]), [[1, 1000]]);
  const uploads = await client.send(new s3.ListMultipartUploadsCommand({ Bucket }));
  assert.deepEqual(uploads.Uploads.map((entry) => entry.UploadId), [UploadId]);
  await client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key: "left", UploadId }));
  await refused(client.send(new s3.ListPartsCommand({ Bucket, Key: "left", UploadId })), 404, "NoSuchUpload");
  await refused(head("left"), 404, "NotFound");
};

exports.copy = async () => {
  const content = randomBytes(100_000);
  await put("from/a b+é", content, { Metadata: { colour: "green" } });
  const CopySource = `${Bucket}/${encodeURIComponent("from/a b+é")}`;
  const kept = await client.send(new s3.CopyObjectCommand({ Bucket, Key: "kept", CopySource }));
  assert.equal(kept.CopyObjectResult.ETag, `"${md5(content, "hex")}"`);
  assert.deepEqual((await head("kept")).Metadata, { colour: "green" });
  const replaced = { MetadataDirective: "REPLACE", Metadata: { colour: "red" } };
  await client.send(new s3.CopyObjectCommand({ Bucket, Key: "replaced", CopySource, ...replaced }));
  assert.deepEqual((await head("replaced")).Metadata, { colour: "red" });
  assert.deepEqual(await bytesOf(await get("replaced")), content);
};

exports.copy_of_parts = async () => {
  const content = randomBytes(6 * MIB);
  await put("source", content);
  const target = { Bucket, Key: "joined" };
  const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(target));
  const Parts = [];
  for (const [PartNumber, range] of [[1, `bytes=0-${5 * MIB - 1}`], [2, `bytes=${5 * MIB}-${6 * MIB - 1}`]]) {
    const source = { CopySource: `${Bucket}/source`, CopySourceRange: range };
    const copied = await client.send(new s3.UploadPartCopyCommand({ ...target, UploadId, PartNumber, ...source }));
    Parts.push({ PartNumber, ETag: copied.CopyPartResult.ETag });
  }
  await client.send(new s3.CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
  assert.deepEqual(await bytesOf(await get("joined")), content);
};

exports.delete_objects = async () => {
  const keys = ["a", "b & c", "dir/é+", "<d>"];
  await Promise.all(keys.map((key) => put(key, "x")));
  const Objects = [...keys, "absent"].map((Key) => ({ Key }));
  const deleted = await client.send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  assert.equal(deleted.Errors, undefined);
  assert.deepEqual(deleted.Deleted.map((entry) => entry.Key).sort(), [...keys, "absent"].sort());
  assert.equal((await client.send(new s3.ListObjectsV2Command({ Bucket }))).KeyCount, 0);
};

exports.presigned_get_and_put = async () => {
  const target = { Bucket, Key: "signed/é +" };
  const putUrl = await getSignedUrl(client, new s3.PutObjectCommand(target), { expiresIn: 60 });
  const stored = await fetch(putUrl, { method: "PUT", body: "through a link" });
  assert.equal(stored.status, 200, await stored.text());
  const getUrl = await getSignedUrl(client, new s3.GetObjectCommand(target), { expiresIn: 60 });
  const got = await fetch(getUrl);
  assert.equal(got.status, 200);
  assert.equal(await got.text(), "through a link");
  const bent = await fetch(getUrl.replace(/X-Amz-Signature=./, "X-Amz-Signature=x"));
  assert.equal(bent.status, 403);
};

exports.tagging = async () => {
  const tagsOf = async (command) => {
    const { TagSet } = await client.send(command);
    return Object.fromEntries(TagSet.map((tag) => [tag.Key, tag.Value]));
  };
  const ofObject = new s3.GetObjectTaggingCommand({ Bucket, Key: "k" });
  await put("k", "x", { Tagging: "colour=green&a%20b=c%2Bd" });
  assert.deepEqual(await tagsOf(ofObject), { "a b": "c+d", colour: "green" });
  assert.equal((await get("k")).TagCount, 2);
  const Tagging = { TagSet: [{ Key: "shape", Value: "round" }] };
  await client.send(new s3.PutObjectTaggingCommand({ Bucket, Key: "k", Tagging }));
  assert.deepEqual(await tagsOf(ofObject), { shape: "round" });
  await client.send(new s3.DeleteObjectTaggingCommand({ Bucket, Key: "k" }));
  assert.deepEqual(await tagsOf(ofObject), {});
  const ofBucket = new s3.GetBucketTaggingCommand({ Bucket });
  await refused(client.send(ofBucket), 404, "NoSuchTagSet");
  await client.send(new s3.PutBucketTaggingCommand({ Bucket, Tagging }));
  assert.deepEqual(await tagsOf(ofBucket), { shape: "round" });
  await client.send(new s3.DeleteBucketTaggingCommand({ Bucket }));
  await refused(client.send(ofBucket), 404, "NoSuchTagSet");
};

exports.versioning = async () => {
  const VersioningConfiguration = { Status: "Enabled" };
  await client.send(new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  assert.equal((await client.send(new s3.GetBucketVersioningCommand({ Bucket }))).Status, "Enabled");
  const first = await put("k", "first");
  const second = await put("k", "second");
  assert.notEqual(first.VersionId, second.VersionId);
  assert.equal((await bytesOf(await get("k", { VersionId: first.VersionId }))).toString(), "first");
  const marker = await remove("k");
  assert.equal(marker.DeleteMarker, true);
  await refused(get("k"), 404, "NoSuchKey");
  const listed = await client.send(new s3.ListObjectVersionsCommand({ Bucket }));
  assert.deepEqual(listed.Versions.map((entry) => entry.VersionId), [second.VersionId, first.VersionId]);
  assert.deepEqual(listed.DeleteMarkers.map((entry) => [entry.VersionId, entry.IsLatest]), [[marker.VersionId, true]]);
  // Removing the marker brings the object back; the rest leaves the bucket as it was.
  await remove("k", { VersionId: marker.VersionId });
  assert.equal((await bytesOf(await get("k"))).toString(), "second");
  await remove("k", { VersionId: second.VersionId });
  await remove("k", { VersionId: first.VersionId });
  assert.equal((await client.send(new s3.ListObjectVersionsCommand({ Bucket }))).Versions, undefined);
};

exports.conditional_put = async () => {
  const { ETag } = await put("k", "first", { IfNoneMatch: "*" });
  await refused(put("k", "again", { IfNoneMatch: "*" }), 412, "PreconditionFailed");
  await put("k", "second", { IfMatch: ETag });
  await refused(put("k", "third", { IfMatch: ETag }), 412, "PreconditionFailed");
  await refused(put("absent", "x", { IfMatch: ETag }), 404, "NoSuchKey");
  assert.equal((await bytesOf(await get("k"))).toString(), "second");
};

exports.conditional_put_race = async () => {
  const attempts = Array.from({ length: 20 }, (_, number) => put("lock", `${number}`, { IfNoneMatch: "*" }));
  const won = (await Promise.allSettled(attempts)).filter((result) => result.status === "fulfilled");
  assert.equal(won.length, 1);
};

exports.customer_provided_keys = async () => {
  const keyOf = (bytes) => ({
    SSECustomerAlgorithm: "AES256",
    SSECustomerKey: bytes.toString("base64"),
    SSECustomerKeyMD5: md5(bytes, "base64"),
  });
  const right = keyOf(Buffer.alloc(32, 1));
  const wrong = keyOf(Buffer.alloc(32, 2));
  const content = randomBytes(300_000);
  const stored = await put("secret", content, right);
  assert.equal(stored.SSECustomerKeyMD5, right.SSECustomerKeyMD5);
  assert.deepEqual(await bytesOf(await get("secret", right)), content);
  const part = await get("secret", { ...right, Range: "bytes=70000-70009" });
  assert.deepEqual(await bytesOf(part), content.subarray(70_000, 70_010));
  assert.equal((await head("secret", right)).ContentLength, content.length);
  await refused(get("secret"), 400, "InvalidRequest");
  await refused(get("secret", wrong), 403, "AccessDenied");
};

exports.customer_provided_keys_in_parts = async () => {
  const key = { SSECustomerAlgorithm: "AES256", SSECustomerKey: Buffer.alloc(32, 3).toString("base64") };
  key.SSECustomerKeyMD5 = md5(Buffer.alloc(32, 3), "base64");
  const content = randomBytes(11 * MIB);
  await new Upload({ client, params: { Bucket, Key: "secret", Body: content, ...key }, partSize: 5 * MIB }).done();
  assert.deepEqual(await bytesOf(await get("secret", key)), content);
  const across = await get("secret", { ...key, Range: `bytes=${5 * MIB - 5}-${5 * MIB + 4}` });
  assert.deepEqual(await bytesOf(across), content.subarray(5 * MIB - 5, 5 * MIB + 5));
};

async function main(name) {
  assert.ok(Object.hasOwn(exports, name), `no scenario ${name}`);
  await exports[name]();
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
