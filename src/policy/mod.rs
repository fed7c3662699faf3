//! Access policies: bucket policies and the policies of organisations, read and judged.
//!
//! A leaf: pure functions over documents and facts, without store, clock or socket, and the set of the organisations'
//! documents in force.

mod action;
mod decide;
mod document;
mod error;
mod org_policies;
mod request;

pub use action::{Action, ResourceKind};
pub use decide::{Decision, Effect, Layers, Reason, decide};
pub use document::{Document, Layer};
pub use error::PolicyError;
pub use org_policies::{OrgDocuments, OrgPolicies};
pub use request::{ContextKey, Facts, Principal, Request, Values};
