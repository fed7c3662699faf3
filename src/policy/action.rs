//! The actions that this node asks policies about.

/// What an action is done to, and so what a policy's resource must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// Neither bucket nor object: only a resource of wildcards fits.
    Service,
    Bucket,
    Object,
}

macro_rules! actions {
    ($($name:ident $kind:ident,)*) => {
        /// An action of S3's permission model that an operation of this node needs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As a policy writes it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("s3:", stringify!($name)),)*
                }
            }

            pub fn resource(self) -> ResourceKind {
                match self {
                    $(Self::$name => ResourceKind::$kind,)*
                }
            }
        }
    };
}

actions! {
    AbortMultipartUpload Object,
    CreateBucket Bucket,
    DeleteBucket Bucket,
    DeleteBucketPolicy Bucket,
    DeleteBucketTagging Bucket,
    DeleteLifecycleConfiguration Bucket,
    DeleteObject Object,
    DeleteObjectTagging Object,
    DeleteObjectVersion Object,
    DeleteObjectVersionTagging Object,
    GetBucketAcl Bucket,
    GetBucketLocation Bucket,
    GetBucketPolicy Bucket,
    GetBucketTagging Bucket,
    GetBucketVersioning Bucket,
    GetLifecycleConfiguration Bucket,
    GetObject Object,
    GetObjectAcl Object,
    GetObjectAttributes Object,
    GetObjectTagging Object,
    GetObjectVersion Object,
    GetObjectVersionAcl Object,
    GetObjectVersionAttributes Object,
    GetObjectVersionTagging Object,
    ListAllMyBuckets Service,
    ListBucket Bucket,
    ListBucketMultipartUploads Bucket,
    ListBucketVersions Bucket,
    ListMultipartUploadParts Object,
    PutBucketPolicy Bucket,
    PutBucketTagging Bucket,
    PutBucketVersioning Bucket,
    PutLifecycleConfiguration Bucket,
    PutObject Object,
    PutObjectTagging Object,
    PutObjectVersionTagging Object,
}

impl Action {
    /// The action of the node's own permission map, or one on the way to it, where this is the finer name that AWS has
    /// for the same thing. A policy may speak of either.
    pub fn coarse(self) -> Option<Self> {
        match self {
            Self::DeleteObjectVersionTagging => Some(Self::DeleteObjectTagging),
            Self::GetBucketAcl | Self::ListBucketVersions => Some(Self::ListBucket),
            Self::GetObjectAcl
            | Self::GetObjectAttributes
            | Self::GetObjectVersion
            | Self::GetObjectVersionAcl => Some(Self::GetObject),
            Self::GetObjectVersionAttributes => Some(Self::GetObjectVersion),
            Self::GetObjectVersionTagging => Some(Self::GetObjectTagging),
            Self::PutObjectVersionTagging => Some(Self::PutObjectTagging),
            _ => None,
        }
    }

    /// Whether the bucket's own policy has no say: there is no bucket yet, or its owner would lock himself out.
    pub fn skips_bucket_policy(self) -> bool {
        matches!(self, Self::CreateBucket | Self::ListAllMyBuckets | Self::PutBucketPolicy)
    }
}

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ActionSet(u64);

const _: () = assert!(Action::ALL.len() <= u64::BITS as usize);

impl ActionSet {
    /// All the names under which policies may speak of this action.
    pub(super) fn names_of(action: Action) -> Self {
        let mut names = Self::default();
        let mut name = Some(action);
        while let Some(action) = name {
            names.insert(action);
            name = action.coarse();
        }
        names
    }

    pub(super) fn insert(&mut self, action: Action) {
        self.0 |= 1 << action as u64;
    }

    pub(super) fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
