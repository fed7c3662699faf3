//! What each call needs, by hand from the section "Requires permission to" of its description in
//! `coreweave-s3-compatibility.md`, and which calls are never served without a signature. Nothing here is taken from the
//! table of operations, which is compared with it. What the specification leaves open is as on AWS: the tags of a copy are
//! read and written, and a Deny of what a request does besides counts.

/// One call, or a variant of it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) operation: &'static str,
    /// Empty: the plain one.
    pub(super) variant: &'static str,
    pub(super) needs: &'static [Need],
    pub(super) is_anonymous: bool,
}

/// An action that must be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// By the specification.
    pub(super) action: &'static str,
    /// As AWS calls the same thing, where it has a finer name.
    pub(super) finest: &'static str,
    pub(super) of: Of,
    /// The specification asks for no Allow, but a Deny counts.
    pub(super) is_only_denied: bool,
}

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// No bucket that could have a policy.
    Nothing,
    Bucket,
    Object,
    /// Another object of the same bucket, which the request names.
    Sibling,
    /// An object of another bucket, which the request names.
    Source,
}

impl Call {
    pub(super) fn name(&self) -> String {
        if self.variant.is_empty() {
            self.operation.to_owned()
        } else {
            format!("{}, {}", self.operation, self.variant)
        }
    }

    pub(super) fn has_source(&self) -> bool {
        self.needs.iter().any(|need| need.of == Of::Source)
    }
}

const fn need(action: &'static str, of: Of) -> Need {
    Need { action, finest: action, of, is_only_denied: false }
}

/// The second name is AWS's.
const fn fine(action: &'static str, finest: &'static str, of: Of) -> Need {
    Need { action, finest, of, is_only_denied: false }
}

const fn only_denied(action: &'static str, of: Of) -> Need {
    Need { is_only_denied: true, ..need(action, of) }
}

const fn call(operation: &'static str, needs: &'static [Need]) -> Call {
    Call { operation, variant: "", needs, is_anonymous: true }
}

const fn never_anonymous(operation: &'static str, needs: &'static [Need]) -> Call {
    Call { operation, variant: "", needs, is_anonymous: false }
}

const fn variant(operation: &'static str, variant: &'static str, needs: &'static [Need]) -> Call {
    Call { operation, variant, needs, is_anonymous: true }
}

pub(super) const VERSION: &str = "of a version";
pub(super) const TAGGED: &str = "with tags";

/// Every call. The first of an operation is the plain one.
pub(super) const CALLS: &[Call] = &[
    call("AbortMultipartUpload", &[need("AbortMultipartUpload", Of::Object)]),
    call("CompleteMultipartUpload", &[need("PutObject", Of::Object)]),
    never_anonymous("CopyObject", &[need("PutObject", Of::Object), need("GetObject", Of::Source)]),
    Call {
        is_anonymous: false,
        ..variant(
            "CopyObject",
            VERSION,
            &[need("PutObject", Of::Object), fine("GetObject", "GetObjectVersion", Of::Source)],
        )
    },
    Call {
        is_anonymous: false,
        ..variant(
            "CopyObject",
            TAGGED,
            &[
                need("PutObject", Of::Object),
                only_denied("PutObjectTagging", Of::Object),
                need("GetObject", Of::Source),
                need("GetObjectTagging", Of::Source),
            ],
        )
    },
    never_anonymous("CreateBucket", &[need("CreateBucket", Of::Nothing)]),
    never_anonymous("CreateMultipartUpload", &[need("PutObject", Of::Object)]),
    Call {
        is_anonymous: false,
        ..variant(
            "CreateMultipartUpload",
            TAGGED,
            &[need("PutObject", Of::Object), only_denied("PutObjectTagging", Of::Object)],
        )
    },
    call("DeleteBucket", &[need("DeleteBucket", Of::Bucket)]),
    never_anonymous("DeleteBucketLifecycle", &[need("DeleteLifecycleConfiguration", Of::Bucket)]),
    never_anonymous("DeleteBucketPolicy", &[need("DeleteBucketPolicy", Of::Bucket)]),
    call("DeleteBucketTagging", &[need("DeleteBucketTagging", Of::Bucket)]),
    call("DeleteObject", &[need("DeleteObject", Of::Object)]),
    variant(
        "DeleteObject",
        VERSION,
        &[need("DeleteObject", Of::Object), need("DeleteObjectVersion", Of::Object)],
    ),
    call("DeleteObjectTagging", &[need("DeleteObjectTagging", Of::Object)]),
    variant(
        "DeleteObjectTagging",
        VERSION,
        &[fine("DeleteObjectTagging", "DeleteObjectVersionTagging", Of::Object)],
    ),
    call("DeleteObjects", &[need("DeleteObject", Of::Sibling), need("DeleteObjectVersion", Of::Sibling)]),
    variant("DeleteObjects", "without versions", &[need("DeleteObject", Of::Sibling)]),
    call("GetBucketAcl", &[fine("ListBucket", "GetBucketAcl", Of::Bucket)]),
    call("GetBucketLifecycleConfiguration", &[need("GetLifecycleConfiguration", Of::Bucket)]),
    call("GetBucketLocation", &[need("GetBucketLocation", Of::Bucket)]),
    call("GetBucketPolicy", &[need("GetBucketPolicy", Of::Bucket)]),
    call("GetBucketTagging", &[need("GetBucketTagging", Of::Bucket)]),
    call("GetBucketVersioning", &[need("GetBucketVersioning", Of::Bucket)]),
    call("GetObject", &[need("GetObject", Of::Object)]),
    variant("GetObject", VERSION, &[fine("GetObject", "GetObjectVersion", Of::Object)]),
    variant("GetObject", "of a range", &[need("GetObject", Of::Object)]),
    call("GetObjectAcl", &[fine("GetObject", "GetObjectAcl", Of::Object)]),
    variant("GetObjectAcl", VERSION, &[fine("GetObject", "GetObjectVersionAcl", Of::Object)]),
    call("GetObjectAttributes", &[fine("GetObject", "GetObjectAttributes", Of::Object)]),
    variant(
        "GetObjectAttributes",
        VERSION,
        &[
            fine("GetObject", "GetObjectVersionAttributes", Of::Object),
            only_denied("GetObjectVersion", Of::Object),
        ],
    ),
    call("GetObjectTagging", &[need("GetObjectTagging", Of::Object)]),
    variant("GetObjectTagging", VERSION, &[fine("GetObjectTagging", "GetObjectVersionTagging", Of::Object)]),
    call("HeadBucket", &[need("ListBucket", Of::Bucket)]),
    call("HeadObject", &[need("GetObject", Of::Object)]),
    variant("HeadObject", VERSION, &[fine("GetObject", "GetObjectVersion", Of::Object)]),
    never_anonymous("ListBuckets", &[need("ListAllMyBuckets", Of::Nothing)]),
    call("ListMultipartUploads", &[need("ListBucketMultipartUploads", Of::Bucket)]),
    call("ListObjectVersions", &[fine("ListBucket", "ListBucketVersions", Of::Bucket)]),
    call("ListObjects", &[need("ListBucket", Of::Bucket)]),
    call("ListObjectsV2", &[need("ListBucket", Of::Bucket)]),
    call("ListParts", &[need("ListMultipartUploadParts", Of::Object)]),
    never_anonymous("PutBucketLifecycleConfiguration", &[need("PutLifecycleConfiguration", Of::Bucket)]),
    never_anonymous("PutBucketPolicy", &[need("PutBucketPolicy", Of::Bucket)]),
    call("PutBucketTagging", &[need("PutBucketTagging", Of::Bucket)]),
    never_anonymous("PutBucketVersioning", &[need("PutBucketVersioning", Of::Bucket)]),
    call("PutObject", &[need("PutObject", Of::Object)]),
    variant(
        "PutObject",
        TAGGED,
        &[need("PutObject", Of::Object), only_denied("PutObjectTagging", Of::Object)],
    ),
    call("PutObjectTagging", &[need("PutObjectTagging", Of::Object)]),
    variant("PutObjectTagging", VERSION, &[fine("PutObjectTagging", "PutObjectVersionTagging", Of::Object)]),
    call("RenameObject", &[need("PutObject", Of::Object), need("DeleteObject", Of::Sibling)]),
    call("UploadPart", &[need("PutObject", Of::Object)]),
    never_anonymous("UploadPartCopy", &[need("PutObject", Of::Object), need("GetObject", Of::Source)]),
    Call {
        is_anonymous: false,
        ..variant(
            "UploadPartCopy",
            VERSION,
            &[need("PutObject", Of::Object), fine("GetObject", "GetObjectVersion", Of::Source)],
        )
    },
];

/// The calls of an operation.
pub(super) fn calls_of(operation: &str) -> impl Iterator<Item = &'static Call> {
    CALLS.iter().filter(move |call| call.operation == operation)
}
