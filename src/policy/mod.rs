//! Access policies: bucket policies and the policies of organisations, read and judged.
//!
//! A leaf: pure functions over documents, requests and facts, without store, clock or socket. [`Document::parse`] reads
//! a document once and refuses it whole for any fault; [`decide`] puts the layers together for one request and asks
//! for [`Facts`] only where a condition needs one. Invariants:
//!
//! - A Deny that applies wins, wherever it stands and in whichever layer.
//! - What a document says is checked when it is read: no action, key, operator or value is met in a decision that was
//!   not understood then.
//! - The cost of a decision is bounded by the size of the documents and of the request; see [`glob`] for patterns.
//! - Nothing here panics, whatever bytes a document or a request consists of.

mod action;
mod condition;
mod context;
mod decide;
mod document;
mod error;
mod glob;
mod json;
mod named_actions;
mod org_policies;
mod principals;
mod request;
mod resources;
mod statement;
mod template;

pub use action::{Action, ResourceKind};
pub use decide::{DecidingStatement, Decision, Effect, Layer as ReasonLayer, Layers, Reason, decide};
pub use document::{Document, Layer};
pub use error::PolicyError;
pub use org_policies::{OrgDocuments, OrgPolicies};
pub use request::{ContextKey, Facts, Principal, Request, Values};

#[cfg(test)]
mod bytes_tests;
#[cfg(test)]
mod pairs_tests;
