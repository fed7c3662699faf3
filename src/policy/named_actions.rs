//! The actions of S3, and how statements name them.

use std::sync::LazyLock;

use super::PolicyError;
use super::action::{Action, ActionSet, ResourceKind};
use super::error::{ACTION, Place};
use super::glob::{Glob, GlobBuilder};
use super::json::Json;

/// Actions of S3 on buckets that no operation of this node needs. A policy may name them.
const BUCKET_OTHERS: [&str; 44] = [
    "CreateBucketMetadataTableConfiguration",
    "DeleteBucketMetadataTableConfiguration",
    "DeleteBucketWebsite",
    "GetAccelerateConfiguration",
    "GetAnalyticsConfiguration",
    "GetBucketAbac",
    "GetBucketCORS",
    "GetBucketLogging",
    "GetBucketMetadataTableConfiguration",
    "GetBucketNotification",
    "GetBucketObjectLockConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicyStatus",
    "GetBucketPublicAccessBlock",
    "GetBucketRequestPayment",
    "GetBucketWebsite",
    "GetEncryptionConfiguration",
    "GetIntelligentTieringConfiguration",
    "GetInventoryConfiguration",
    "GetMetricsConfiguration",
    "GetReplicationConfiguration",
    "ListTagsForResource",
    "PauseReplication",
    "PutAccelerateConfiguration",
    "PutAnalyticsConfiguration",
    "PutBucketAbac",
    "PutBucketAcl",
    "PutBucketCORS",
    "PutBucketLogging",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPublicAccessBlock",
    "PutBucketRequestPayment",
    "PutBucketWebsite",
    "PutEncryptionConfiguration",
    "PutIntelligentTieringConfiguration",
    "PutInventoryConfiguration",
    "PutMetricsConfiguration",
    "PutReplicationConfiguration",
    "TagResource",
    "UntagResource",
    "UpdateBucketMetadataInventoryTableConfiguration",
    "UpdateBucketMetadataJournalTableConfiguration",
];

/// The same, on objects.
const OBJECT_OTHERS: [&str; 17] = [
    "BypassGovernanceRetention",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTorrent",
    "GetObjectVersionForReplication",
    "GetObjectVersionTorrent",
    "InitiateReplication",
    "ObjectOwnerOverrideToBucketOwner",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectVersionAcl",
    "ReplicateDelete",
    "ReplicateObject",
    "ReplicateTags",
    "RestoreObject",
    "UpdateObjectEncryption",
];

/// The same, on anything else: access points, access grants, batch jobs, storage lenses.
const SERVICE_OTHERS: [&str; 73] = [
    "AssociateAccessGrantsIdentityCenter",
    "CreateAccessGrant",
    "CreateAccessGrantsInstance",
    "CreateAccessGrantsLocation",
    "CreateAccessPoint",
    "CreateAccessPointForObjectLambda",
    "CreateJob",
    "CreateMultiRegionAccessPoint",
    "CreateStorageLensGroup",
    "DeleteAccessGrant",
    "DeleteAccessGrantsInstance",
    "DeleteAccessGrantsInstanceResourcePolicy",
    "DeleteAccessGrantsLocation",
    "DeleteAccessPoint",
    "DeleteAccessPointForObjectLambda",
    "DeleteAccessPointPolicy",
    "DeleteAccessPointPolicyForObjectLambda",
    "DeleteJobTagging",
    "DeleteMultiRegionAccessPoint",
    "DeleteStorageLensConfiguration",
    "DeleteStorageLensConfigurationTagging",
    "DeleteStorageLensGroup",
    "DescribeJob",
    "DescribeMultiRegionAccessPointOperation",
    "DissociateAccessGrantsIdentityCenter",
    "GetAccessGrant",
    "GetAccessGrantsInstance",
    "GetAccessGrantsInstanceForPrefix",
    "GetAccessGrantsInstanceResourcePolicy",
    "GetAccessGrantsLocation",
    "GetAccessPoint",
    "GetAccessPointConfigurationForObjectLambda",
    "GetAccessPointForObjectLambda",
    "GetAccessPointPolicy",
    "GetAccessPointPolicyForObjectLambda",
    "GetAccessPointPolicyStatus",
    "GetAccessPointPolicyStatusForObjectLambda",
    "GetAccountPublicAccessBlock",
    "GetDataAccess",
    "GetJobTagging",
    "GetMultiRegionAccessPoint",
    "GetMultiRegionAccessPointPolicy",
    "GetMultiRegionAccessPointPolicyStatus",
    "GetMultiRegionAccessPointRoutes",
    "GetStorageLensConfiguration",
    "GetStorageLensConfigurationTagging",
    "GetStorageLensDashboard",
    "GetStorageLensGroup",
    "ListAccessGrants",
    "ListAccessGrantsInstances",
    "ListAccessGrantsLocations",
    "ListAccessPoints",
    "ListAccessPointsForObjectLambda",
    "ListCallerAccessGrants",
    "ListJobs",
    "ListMultiRegionAccessPoints",
    "ListStorageLensConfigurations",
    "ListStorageLensGroups",
    "PutAccessGrantsInstanceResourcePolicy",
    "PutAccessPointConfigurationForObjectLambda",
    "PutAccessPointPolicy",
    "PutAccessPointPolicyForObjectLambda",
    "PutAccessPointPublicAccessBlock",
    "PutAccountPublicAccessBlock",
    "PutJobTagging",
    "PutMultiRegionAccessPointPolicy",
    "PutStorageLensConfiguration",
    "PutStorageLensConfigurationTagging",
    "SubmitMultiRegionAccessPointRoutes",
    "UpdateAccessGrantsLocation",
    "UpdateJobPriority",
    "UpdateJobStatus",
    "UpdateStorageLensGroup",
];

/// An action that a policy may name.
struct Known {
    /// Lower case, without the service.
    name: String,
    resource: ResourceKind,
    /// Where this node has it.
    action: Option<Action>,
}

/// All of them.
static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let mut known: Vec<Known> = Vec::new();
    for action in Action::ALL {
        let name = action.name()[SERVICE_PREFIX.len()..].to_ascii_lowercase();
        known.push(Known { name, resource: action.resource(), action: Some(*action) });
    }
    let others: [(ResourceKind, &[&str]); 3] = [
        (ResourceKind::Bucket, &BUCKET_OTHERS),
        (ResourceKind::Object, &OBJECT_OTHERS),
        (ResourceKind::Service, &SERVICE_OTHERS),
    ];
    for (resource, names) in others {
        let lower = names.iter().map(|name| name.to_ascii_lowercase());
        known.extend(lower.map(|name| Known { name, resource, action: None }));
    }
    known
});

/// Before the name of each action.
const SERVICE_PREFIX: &str = "s3:";

/// The actions that a statement names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NamedActions {
    /// Those of this node.
    pub(super) set: ActionSet,
    pub(super) on_buckets: bool,
    pub(super) on_objects: bool,
}

impl NamedActions {
    /// Reads `Action` or `NotAction`.
    pub(super) fn parse(json: &Json, place: &Place<'_>) -> Result<Self, PolicyError> {
        let mut named = Self::default();
        let count = json.each(place, |value, place| {
            let text = value.as_string().ok_or_else(|| place.fault(ACTION))?;
            if named.add(text) { Ok(()) } else { Err(place.fault_of(ACTION, text)) }
        })?;
        if count == 0 { Err(place.fault(ACTION)) } else { Ok(named) }
    }

    /// Whether such an action exists.
    fn add(&mut self, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        let pattern = match lower.strip_prefix(SERVICE_PREFIX) {
            Some(pattern) => glob(pattern),
            None if lower == "*" => glob("*"),
            None => return false,
        };
        let mut is_any = false;
        for known in KNOWN.iter().filter(|known| pattern.matches(&known.name)) {
            is_any = true;
            self.mark(known.resource);
            if let Some(action) = known.action {
                self.set.insert(action);
            }
        }
        is_any
    }

    fn mark(&mut self, kind: ResourceKind) {
        self.on_buckets |= kind == ResourceKind::Bucket;
        self.on_objects |= kind == ResourceKind::Object;
    }
}

fn glob(pattern: &str) -> Glob {
    let mut builder = GlobBuilder::default();
    let mut rest = pattern;
    while let Some(at) = rest.find(['*', '?']) {
        builder.literal(&rest[..at]);
        if rest[at..].starts_with('*') {
            builder.any_run();
        } else {
            builder.any_char();
        }
        rest = &rest[at + 1..];
    }
    builder.literal(rest);
    builder.build()
}

#[cfg(test)]
#[path = "named_actions_tests.rs"]
mod tests;
