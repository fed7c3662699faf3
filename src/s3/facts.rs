//! What a request says to the conditions of policies. Each fact is looked up when a statement asks for it.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use smallvec::smallvec;

use crate::http::head::RequestHead;
use crate::policy::{ContextKey, Facts, Values};
use crate::s3::authorise::{Asking, Content, Sender, Target};
use crate::s3::headers::copy_source::{self, CopySource, Directive};
use crate::s3::reading;
use crate::s3::tagging::{self, Tags};
use crate::s3::timestamp;
use crate::store::objects::Lookup;

/// What is dear to find in a head, kept for as long as its request: a policy may ask for the same a thousand times, and
/// a request may be judged a thousand times.
#[derive(Default)]
pub(super) struct HeadFacts {
    /// Of each field, in order.
    texts: OnceCell<Vec<String>>,
    copy_source: OnceCell<Option<String>>,
}

impl HeadFacts {
    /// The text of the first field of this name.
    fn header(&self, head: &RequestHead, name: &str) -> Option<&str> {
        let at = head.headers().position(|(have, _)| have == name.as_bytes())?;
        let texts = self.texts.get_or_init(|| head.headers().map(text_of).collect());
        texts.get(at).map(String::as_str)
    }

    /// `bucket/key` of the source of a copy, where it can be read.
    fn copy_source(&self, head: &RequestHead) -> Option<&str> {
        let find = || CopySource::from_head(head).ok().map(|from| format!("{}/{}", from.bucket, from.key));
        self.copy_source.get_or_init(find).as_deref()
    }
}

/// The text of a field. Of a customer's key no copies are made; policies cannot ask for it.
fn text_of((name, value): (&[u8], &[u8])) -> String {
    let is_secret = memchr::memmem::find(name, b"customer-key").is_some();
    if is_secret { String::new() } else { String::from_utf8_lossy(value).into_owned() }
}

/// The facts of one action of a request.
pub(super) struct RequestFacts<'a> {
    asking: &'a Asking<'a>,
    target: &'a Target<'a>,
    existing_tags: OnceCell<Tags>,
    sent_tags: OnceCell<Tags>,
    asked_of_unread: Cell<bool>,
    has_failed: Cell<bool>,
}

impl<'a> RequestFacts<'a> {
    pub(super) fn new(asking: &'a Asking<'a>, target: &'a Target<'a>) -> Self {
        Self {
            asking,
            target,
            existing_tags: OnceCell::new(),
            sent_tags: OnceCell::new(),
            asked_of_unread: Cell::new(false),
            has_failed: Cell::new(false),
        }
    }

    /// What the operation is called; empty for what is refused by name.
    fn operation(&self) -> &'static str {
        self.asking.operation.map_or("", |operation| operation.name)
    }

    /// Whether something was asked that stands in a body which has not been read.
    pub(super) fn asked_of_unread(&self) -> bool {
        self.asked_of_unread.get()
    }

    /// Whether something was asked that could not be found out: what was decided without it is worth nothing.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    /// Tags of the version that the request is about; none where it does not exist.
    fn existing_tags(&self) -> &Tags {
        self.existing_tags.get_or_init(|| {
            let (Some(bucket), Some(key)) = (self.target.bucket, self.target.key) else { return Tags::new() };
            let version = self.target.version.map(|id| reading::parse_version("versionId", id)).transpose();
            let Ok(version) = version else { return Tags::new() };
            match self.asking.context.store.open_object(bucket, key, version) {
                Ok(Lookup::Object(object)) => object.record.metadata.tags,
                Ok(_) => Tags::new(),
                Err(error) => {
                    tracing::error!(%error, "the tags of an object cannot be read");
                    self.has_failed.set(true);
                    Tags::new()
                }
            }
        })
    }

    /// Tags that the request brings, in its body or a header.
    fn sent_tags(&self) -> &Tags {
        match self.target.content {
            Content::Tags(tags) => tags,
            Content::Unread => {
                self.asked_of_unread.set(true);
                self.sent_tags.get_or_init(Tags::new)
            }
            _ => self.sent_tags.get_or_init(|| self.tags_of_head()),
        }
    }

    /// Those that come to something: tags that a request names and nobody keeps satisfy no condition. What cannot be
    /// read is refused by the operation.
    fn tags_of_head(&self) -> Tags {
        let head = self.asking.head;
        let are_kept = match self.operation() {
            "PutObject" | "CreateMultipartUpload" => true,
            "CopyObject" => Directive::of_tagging(head) == Ok(Directive::Replace),
            _ => false,
        };
        if are_kept { tagging::from_head(head).unwrap_or_default() } else { Tags::new() }
    }

    /// `bucket/key`, however it was written: a policy that denies one form would else allow the others.
    fn copy_source(&self) -> Option<Values<'_>> {
        let Asking { head, head_facts, .. } = self.asking;
        head_facts.copy_source(head).map(one).or_else(|| self.header(copy_source::SOURCE))
    }

    /// Whether a write makes an object, and is not a step on the way to one.
    fn creates_object(&self) -> Option<Values<'_>> {
        match self.operation() {
            "PutObject" | "CompleteMultipartUpload" | "CopyObject" | "RenameObject" => Some(boolean(true)),
            "CreateMultipartUpload" | "UploadPart" | "UploadPartCopy" => Some(boolean(false)),
            _ => None,
        }
    }

    fn location(&self) -> Option<Values<'_>> {
        if let Content::Location(location) = self.target.content {
            return location.map(one);
        }
        if let Content::Unread = self.target.content {
            self.asked_of_unread.set(true);
        }
        None
    }

    /// A parameter of a listing. No other request takes heed of it.
    fn of_listing(&self, name: &str) -> Option<Values<'_>> {
        let listings = ["ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads"];
        let is_listing = listings.contains(&self.operation());
        self.asking.address.query.get(name).filter(|_| is_listing).map(one)
    }

    fn header(&self, name: &str) -> Option<Values<'_>> {
        let Asking { head, head_facts, .. } = self.asking;
        head_facts.header(head, name).map(one)
    }

    /// What only signed requests have.
    fn of_signature(&self, key: &ContextKey) -> Option<Values<'_>> {
        let Sender::Signed { presigned, signed_unix_s, .. } = self.asking.sender else { return None };
        Some(match key {
            ContextKey::SignatureVersion => one("AWS4-HMAC-SHA256"),
            ContextKey::AuthType if *presigned => one("REST-QUERY-STRING"),
            ContextKey::AuthType => one("REST-HEADER"),
            _ => text((self.asking.admitted_ms - signed_unix_s.saturating_mul(1000)).to_string()),
        })
    }
}

impl Facts for RequestFacts<'_> {
    fn values(&self, key: &ContextKey) -> Option<Values<'_>> {
        let Self { asking, target, .. } = self;
        match key {
            ContextKey::SourceIp => Some(text(asking.client.address.to_string())),
            ContextKey::SecureTransport => Some(boolean(asking.client.is_secure)),
            ContextKey::UserAgent => self.header("user-agent"),
            ContextKey::Referer => self.header("referer"),
            ContextKey::CurrentTime => Some(text(timestamp::iso8601(asking.admitted_ms))),
            ContextKey::EpochTime => Some(text(asking.admitted_ms.div_euclid(1000).to_string())),
            ContextKey::RequestedRegion => Some(one(&asking.context.region)),
            ContextKey::ResourceOrg => target.bucket.map(|bucket| one(&bucket.org)),
            ContextKey::Prefix => target.prefix.map(one).or_else(|| self.of_listing("prefix")),
            ContextKey::Delimiter => self.of_listing("delimiter"),
            ContextKey::MaxKeys => self.of_listing("max-keys"),
            ContextKey::VersionId => target.version.map(one),
            ContextKey::LocationConstraint => self.location(),
            ContextKey::SignatureVersion | ContextKey::SignatureAge | ContextKey::AuthType => {
                self.of_signature(key)
            }
            // Whatever ends TLS in front of the node does not say with which version.
            ContextKey::TlsVersion => None,
            ContextKey::Header(copy_source::SOURCE) => self.copy_source(),
            ContextKey::Header(name) => self.header(name),
            ContextKey::ObjectCreationOperation => self.creates_object(),
            ContextKey::ExistingObjectTag(name) => value_of(self.existing_tags(), name).map(one),
            ContextKey::RequestObjectTag(name) => value_of(self.sent_tags(), name).map(one),
            ContextKey::RequestObjectTagKeys => {
                let names: Values<'_> =
                    self.sent_tags().iter().map(|(name, _)| Cow::Borrowed(name.as_str())).collect();
                (!names.is_empty()).then_some(names)
            }
        }
    }
}

fn one(value: &str) -> Values<'_> {
    smallvec![Cow::Borrowed(value)]
}

fn boolean<'a>(value: bool) -> Values<'a> {
    one(if value { "true" } else { "false" })
}

fn text<'a>(value: String) -> Values<'a> {
    smallvec![Cow::Owned(value)]
}

fn value_of<'t>(tags: &'t Tags, name: &str) -> Option<&'t str> {
    tags.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
