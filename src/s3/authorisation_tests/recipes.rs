//! How each call is made. An operation that is added to the table needs a recipe here.

use super::fixture::{CONTENT, Fixture, KEY, Kind, SIBLING, SOURCE_KEY, content_md5};
use super::node::Ask;
use super::permissions::{Call, TAGGED, VERSION};

/// A request, and the status of its success.
pub(super) struct Recipe {
    pub(super) ask: Ask,
    pub(super) status: u16,
    /// Where the bucket has no policy.
    pub(super) status_without_policy: u16,
    /// Whether its success changes the index, and the same without a policy.
    pub(super) changes: bool,
    pub(super) changes_without_policy: bool,
}

impl Recipe {
    fn new(status: u16, ask: Ask) -> Self {
        let changes = !matches!(ask.method, "GET" | "HEAD");
        Self { ask, status, status_without_policy: status, changes, changes_without_policy: changes }
    }
}

pub(super) fn kind(call: &Call) -> Kind {
    match (call.operation, call.variant) {
        ("DeleteBucket", _) => Kind::Empty,
        (_, VERSION) | ("DeleteObjects", _) => Kind::Versioned,
        _ => Kind::NeverVersioned,
    }
}

/// The operation whose success the owner must have had before.
pub(super) fn before(call: &Call) -> Option<&'static str> {
    let is_of_rules = ["GetBucketLifecycleConfiguration", "DeleteBucketLifecycle"].contains(&call.operation);
    is_of_rules.then_some("PutBucketLifecycleConfiguration")
}

/// How the call is made; `None` where nobody has written that down.
pub(super) fn recipe(operation: &str, variant: &str, fixture: &Fixture) -> Option<Recipe> {
    of_bucket(operation, fixture)
        .or_else(|| of_bucket_document(operation, variant, fixture))
        .or_else(|| of_object(operation, variant, fixture))
        .or_else(|| of_upload(operation, variant, fixture))
}

fn of_bucket(operation: &str, fixture: &Fixture) -> Option<Recipe> {
    let ask = |method, query: &str| Ask::new(method, fixture.bucket_path()).query(query);
    Some(match operation {
        "ListBuckets" => Recipe::new(200, Ask::new("GET", "/")),
        "CreateBucket" => Recipe::new(200, Ask::new("PUT", format!("{}-new", fixture.bucket_path()))),
        "DeleteBucket" => Recipe::new(204, ask("DELETE", "")),
        "DeleteBucketLifecycle" => Recipe::new(204, ask("DELETE", "lifecycle")),
        "DeleteBucketPolicy" => {
            Recipe { changes_without_policy: false, ..Recipe::new(204, ask("DELETE", "policy")) }
        }
        "DeleteBucketTagging" => Recipe::new(204, ask("DELETE", "tagging")),
        "GetBucketAcl" => Recipe::new(200, ask("GET", "acl")),
        "GetBucketLifecycleConfiguration" => Recipe::new(200, ask("GET", "lifecycle")),
        "GetBucketLocation" => Recipe::new(200, ask("GET", "location")),
        "GetBucketPolicy" => Recipe { status_without_policy: 404, ..Recipe::new(200, ask("GET", "policy")) },
        "GetBucketTagging" => Recipe::new(200, ask("GET", "tagging")),
        "GetBucketVersioning" => Recipe::new(200, ask("GET", "versioning")),
        "HeadBucket" => Recipe::new(200, ask("HEAD", "")),
        "ListMultipartUploads" => Recipe::new(200, ask("GET", "uploads")),
        "ListObjectVersions" => Recipe::new(200, ask("GET", "versions")),
        "ListObjects" => Recipe::new(200, ask("GET", "")),
        "ListObjectsV2" => Recipe::new(200, ask("GET", "list-type=2")),
        _ => return None,
    })
}

fn of_bucket_document(operation: &str, variant: &str, fixture: &Fixture) -> Option<Recipe> {
    let (method, status, query, body) = match operation {
        "DeleteObjects" => ("POST", 200, "delete", keys_to_delete(variant, fixture)),
        "PutBucketLifecycleConfiguration" => ("PUT", 200, "lifecycle", RULES.to_owned()),
        "PutBucketPolicy" => {
            let resource = format!("arn:aws:s3:::{}", fixture.bucket);
            let statement = r#""Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket""#;
            let policy = format!(r#"{{"Statement":[{{{statement},"Resource":"{resource}"}}]}}"#);
            ("PUT", 204, "policy", policy)
        }
        "PutBucketTagging" => ("PUT", 204, "tagging", NEW_TAGS.to_owned()),
        "PutBucketVersioning" => ("PUT", 200, "versioning", VERSIONING.to_owned()),
        _ => return None,
    };
    let md5 = content_md5(&body);
    let ask = Ask::new(method, fixture.bucket_path()).query(query).header("content-md5", md5).body(body);
    Some(Recipe::new(status, ask))
}

const VERSIONING: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const NEW_TAGS: &str = "<Tagging><TagSet><Tag><Key>new</Key><Value>tag</Value></Tag></TagSet></Tagging>";
const RULES: &str = "<LifecycleConfiguration><Rule><ID>rule</ID><Status>Enabled</Status><Filter/><Expiration><Days>7\
                     </Days></Expiration></Rule></LifecycleConfiguration>";

fn keys_to_delete(variant: &str, fixture: &Fixture) -> String {
    let version = match variant {
        "" => format!("<VersionId>{}</VersionId>", fixture.sibling_version),
        _ => String::new(),
    };
    format!("<Delete><Object><Key>{SIBLING}</Key>{version}</Object></Delete>")
}

fn of_object(operation: &str, variant: &str, fixture: &Fixture) -> Option<Recipe> {
    let version = match variant {
        VERSION => format!("versionId={}", fixture.version),
        _ => String::new(),
    };
    let ask = |method| Ask::new(method, fixture.path()).query(&version);
    let ask_for = |method, name: &str| {
        let mark = if version.is_empty() { "" } else { "&" };
        Ask::new(method, fixture.path()).query(format!("{name}{mark}{version}"))
    };
    Some(match operation {
        "CopyObject" => {
            let ask = Ask::new("PUT", fixture.path());
            Recipe::new(200, ask.header("x-amz-copy-source", source(variant, fixture)))
        }
        "DeleteObject" => Recipe::new(204, ask("DELETE")),
        "DeleteObjectTagging" => Recipe::new(204, ask_for("DELETE", "tagging")),
        "GetObject" if variant == "of a range" => Recipe::new(206, ask("GET").header("range", "bytes=0-1")),
        "GetObject" => Recipe::new(200, ask("GET")),
        "GetObjectAcl" => Recipe::new(200, ask_for("GET", "acl")),
        "GetObjectAttributes" => {
            Recipe::new(200, ask_for("GET", "attributes").header("x-amz-object-attributes", "ETag"))
        }
        "GetObjectTagging" => Recipe::new(200, ask_for("GET", "tagging")),
        "HeadObject" => Recipe::new(200, ask("HEAD")),
        "PutObject" => Recipe::new(200, tagged(ask("PUT").body("other bytes"), variant)),
        "PutObjectTagging" => Recipe::new(200, ask_for("PUT", "tagging").body(NEW_TAGS)),
        "RenameObject" => {
            Recipe::new(200, ask_for("PUT", "renameObject").header("x-amz-rename-source", SIBLING))
        }
        _ => return None,
    })
}

fn of_upload(operation: &str, variant: &str, fixture: &Fixture) -> Option<Recipe> {
    let upload = format!("uploadId={}", fixture.upload);
    let ask = |method, query: String| Ask::new(method, fixture.path()).query(query);
    Some(match operation {
        "AbortMultipartUpload" => Recipe::new(204, ask("DELETE", upload)),
        "CompleteMultipartUpload" => {
            let part = format!("<Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>", fixture.part_etag);
            let body = format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>");
            Recipe::new(200, ask("POST", upload).body(body))
        }
        "CreateMultipartUpload" => Recipe::new(200, tagged(ask("POST", "uploads".to_owned()), variant)),
        "ListParts" => Recipe::new(200, ask("GET", upload)),
        "UploadPart" => Recipe::new(200, ask("PUT", format!("partNumber=2&{upload}")).body(CONTENT)),
        "UploadPartCopy" => {
            let ask = ask("PUT", format!("partNumber=2&{upload}"));
            Recipe::new(200, ask.header("x-amz-copy-source", source(variant, fixture)))
        }
        _ => return None,
    })
}

fn tagged(ask: Ask, variant: &str) -> Ask {
    if variant == TAGGED { ask.header("x-amz-tagging", "sent=tag") } else { ask }
}

fn source(variant: &str, fixture: &Fixture) -> String {
    let version = match variant {
        VERSION => format!("?versionId={}", fixture.source_version),
        _ => String::new(),
    };
    format!("/{}/{SOURCE_KEY}{version}", fixture.source_bucket)
}

/// The key that a place of the hand table means.
pub(super) fn key_of(of: super::permissions::Of) -> Option<&'static str> {
    use super::permissions::Of;
    match of {
        Of::Nothing | Of::Bucket => None,
        Of::Object => Some(KEY),
        Of::Sibling => Some(SIBLING),
        Of::Source => Some(SOURCE_KEY),
    }
}
