use super::*;
use crate::index::record::{ETag, Owner};

fn named(versioning: Versioning, null_version: bool) -> Option<Vec<u8>> {
    let bucket = BucketRecord {
        id: 1,
        name: "bucket".into(),
        user: String::new(),
        display_name: String::new(),
        org: String::new(),
        region: String::new(),
        created_ms: 0,
        versioning,
        policy: None,
        lifecycle: None,
    };
    let listed = Listed {
        delete_marker: false,
        null_version,
        size: 0,
        last_modified_ms: 0,
        stamp: 1,
        etag: ETag { md5: [0; 16], parts: None },
        checksum: None,
        owner: Owner::default(),
    };
    let response = with_version(Response::new(200), &bucket, &listed);
    response.headers.into_iter().find(|(name, _)| name == "x-amz-version-id").map(|(_, value)| value)
}

#[test]
fn an_id_is_named_unless_the_bucket_never_kept_versions() {
    let (null, stamp) = (Some(b"null".to_vec()), Some(b"fffffffffffffffe".to_vec()));
    assert_eq!(named(Versioning::Unset, true), None);
    for versioning in [Versioning::Enabled, Versioning::Suspended] {
        assert_eq!(named(versioning, true), null);
        assert_eq!(named(versioning, false), stamp);
    }
    // An upload that was still coming in when the bucket began to keep versions is one of them.
    assert_eq!(named(Versioning::Unset, false), stamp);
}
