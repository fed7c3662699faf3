//! What a request is tried on: a bucket with objects and an upload, and another one to copy from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::node::{Ask, Node, OWNER, Person, Reply, SOURCE_OWNER, Sender};
use crate::checksum::Md5;

pub(super) const KEY: &str = "dir/object";
pub(super) const SIBLING: &str = "dir/sibling";
pub(super) const SOURCE_KEY: &str = "dir/source";
pub(super) const CONTENT: &str = "some bytes";

/// What there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The bucket alone.
    Empty,
    NeverVersioned,
    Versioned,
}

/// Buckets and what is in them.
pub(super) struct Fixture {
    pub(super) bucket: String,
    /// Of another organisation.
    pub(super) source_bucket: String,
    /// Older versions of the objects, where versions are kept.
    pub(super) version: String,
    pub(super) sibling_version: String,
    pub(super) source_version: String,
    /// An upload to [`KEY`] with one part.
    pub(super) upload: String,
    pub(super) part_etag: String,
}

impl Fixture {
    /// Makes it by requests of the owners.
    pub(super) fn make(node: &mut Node, kind: Kind, has_tagged_source: bool) -> Self {
        let number = node.next_number();
        let (bucket, source_bucket) = (format!("bucket-{number}-x"), format!("source-{number}-x"));
        node.create_bucket(&OWNER, &bucket);
        node.create_bucket(&SOURCE_OWNER, &source_bucket);
        let mut fixture = Self {
            bucket,
            source_bucket,
            version: String::new(),
            sibling_version: String::new(),
            source_version: String::new(),
            upload: String::new(),
            part_etag: String::new(),
        };
        if kind != Kind::Empty {
            fixture.fill(node, kind, has_tagged_source);
        }
        fixture
    }

    fn fill(&mut self, node: &mut Node, kind: Kind, has_tagged_source: bool) {
        let source_tags = if has_tagged_source { "old=tag" } else { "" };
        let places = [
            (&OWNER, &self.bucket, KEY, "old=tag"),
            (&OWNER, &self.bucket, SIBLING, "old=tag"),
            (&SOURCE_OWNER, &self.source_bucket, SOURCE_KEY, source_tags),
        ];
        let put = |node: &mut Node| {
            places.map(|(owner, bucket, key, tags)| {
                let ask = Ask::new("PUT", format!("/{bucket}/{key}")).header("x-amz-tagging", tags);
                let reply = node.done(Some(owner), &ask.body(CONTENT));
                reply.header("x-amz-version-id").unwrap_or_default().to_owned()
            })
        };
        if kind == Kind::Versioned {
            let keep = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
            for (owner, bucket) in [(&OWNER, &self.bucket), (&SOURCE_OWNER, &self.source_bucket)] {
                let ask = Ask::new("PUT", format!("/{bucket}")).query("versioning").body(keep);
                node.done(Some(owner), &ask);
            }
            [self.version, self.sibling_version, self.source_version] = put(node);
        }
        put(node);
        let path = self.path();
        let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
        node.done(Some(&OWNER), &Ask::new("PUT", format!("/{}", self.bucket)).query("tagging").body(tags));
        let created = node.done(Some(&OWNER), &Ask::new("POST", &path).query("uploads"));
        created.element("UploadId").clone_into(&mut self.upload);
        let part = Ask::new("PUT", &path).query(format!("partNumber=1&uploadId={}", self.upload));
        let part = node.done(Some(&OWNER), &part.body(CONTENT));
        part.header("etag").unwrap_or_default().clone_into(&mut self.part_etag);
    }

    /// The path of the object.
    pub(super) fn path(&self) -> String {
        format!("/{}/{KEY}", self.bucket)
    }

    pub(super) fn bucket_path(&self) -> String {
        format!("/{}", self.bucket)
    }
}

impl Node {
    /// Sends a request that must succeed.
    pub(super) fn done(&mut self, sender: Sender, ask: &Ask) -> Reply {
        let reply = self.ask(sender, ask);
        assert!((200..300).contains(&reply.status), "{} {}?{}: {reply}", ask.method, ask.path, ask.query);
        reply
    }

    pub(super) fn create_bucket(&mut self, owner: &'static Person, bucket: &str) {
        self.done(Some(owner), &Ask::new("PUT", format!("/{bucket}")));
    }

    /// Sets the policy of a bucket, which its owner can always do.
    pub(super) fn set_policy(&mut self, owner: &'static Person, bucket: &str, policy: &str) {
        self.done(Some(owner), &Ask::new("PUT", format!("/{bucket}")).query("policy").body(policy));
    }
}

/// The header `Content-MD5` of a body.
pub(super) fn content_md5(body: &str) -> String {
    let mut md5 = Md5::new();
    md5.update(body.as_bytes());
    BASE64.encode(md5.finish())
}
