//! A policy document: its grammar at the top, and its verdict on a request.

use std::collections::HashSet;
use std::sync::Arc;

use super::PolicyError;
use super::action::ActionSet;
use super::context::Scene;
use super::error::{
    FIRST_BYTE, Place, SID_TWICE, STATEMENT_EMPTY, SYNTAX, TOO_LARGE, UNKNOWN_FIELD, VERSION, WILDCARDS,
};
use super::json::Json;
use super::statement::{Statement, StatementEffect};
use crate::config::limits::{POLICY_BYTES_MAX, POLICY_SEARCHES_MAX};

/// Where a document applies, and so what its grammar demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer<'a> {
    /// The policy of this bucket: it names principals, and resources of this bucket.
    Bucket(&'a str),
    /// A policy of an organisation: a statement without principal is about everybody of it, resources are any.
    Organisation,
}

/// A policy that has been read and checked. Immutable; shared by all who judge by it.
#[derive(Debug)]
pub struct Document {
    statements: Vec<Statement>,
}

/// What a document says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Deny(StatementName),
    Allow(StatementName),
    Silent,
}

/// Which statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatementName {
    pub(super) index: usize,
    pub(super) sid: Option<Arc<str>>,
}

/// What is asked of a document.
#[derive(Clone, Copy)]
pub(super) struct Question {
    /// The names of the request's action.
    pub(super) names: ActionSet,
    /// Whether the requester belongs to the organisation whose document it is.
    pub(super) is_of_org: bool,
    /// Whether it matters that a statement allows it. If not, only denials are looked for.
    pub(super) needs_allow: bool,
}

impl Document {
    pub fn parse(bytes: &[u8], layer: Layer<'_>) -> Result<Self, PolicyError> {
        if bytes.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::of_document(TOO_LARGE, ""));
        }
        if bytes.first() != Some(&b'{') {
            return Err(PolicyError::of_document(FIRST_BYTE, ""));
        }
        let json = Json::parse(bytes)?;
        let mut statement = None;
        // Without a version a document is of the elder, which knows no variables.
        let mut has_variables = false;
        for (name, value) in json.as_object().unwrap_or_default() {
            let place = Place::root(name);
            match (name.as_str(), value.as_string()) {
                ("Version", Some("2012-10-17")) => has_variables = true,
                ("Version", Some("2008-10-17")) | ("Id", Some(_)) => {}
                ("Version", Some(text)) => return Err(place.fault_of(VERSION, text)),
                ("Version", None) => return Err(place.fault(VERSION)),
                ("Id", None) => return Err(place.fault(SYNTAX)),
                ("Statement", _) => statement = Some(value),
                _ => return Err(place.fault(UNKNOWN_FIELD)),
            }
        }
        let Some(statement) = statement else {
            return Err(PolicyError::of_document("Missing required field Statement", ""));
        };
        Ok(Self { statements: parse_statements(statement, layer, has_variables)? })
    }

    /// A statement that denies, wherever it stands, is the verdict.
    pub(super) fn judge(&self, scene: &Scene<'_>, question: Question) -> Verdict {
        let mut verdict = Verdict::Silent;
        for (index, statement) in self.statements.iter().enumerate() {
            let is_deny = statement.effect == StatementEffect::Deny;
            let matters = is_deny || (question.needs_allow && verdict == Verdict::Silent);
            if !matters || !statement.is_about(scene, question.names, question.is_of_org) {
                continue;
            }
            let name = StatementName { index, sid: statement.sid.clone() };
            if is_deny {
                return Verdict::Deny(name);
            }
            verdict = Verdict::Allow(name);
        }
        verdict
    }
}

fn parse_statements(
    json: &Json,
    layer: Layer<'_>,
    has_variables: bool,
) -> Result<Vec<Statement>, PolicyError> {
    let place = Place::root("Statement");
    let alone = std::slice::from_ref(json);
    let list = if let Json::Array(list) = json { list.as_slice() } else { alone };
    if list.is_empty() {
        return Err(PolicyError::of_document(STATEMENT_EMPTY, ""));
    }
    let mut statements = Vec::with_capacity(list.len());
    let mut sids = HashSet::new();
    let mut searches = 0;
    for (index, json) in list.iter().enumerate() {
        let place = place.index(index);
        let statement = Statement::parse(json, layer, has_variables, &place)?;
        if let Some(sid) = &statement.sid
            && !sids.insert(Arc::clone(sid))
        {
            return Err(place.name("Sid").fault_of(SID_TWICE, sid));
        }
        searches += statement.searches();
        if searches > POLICY_SEARCHES_MAX {
            return Err(place.fault(WILDCARDS));
        }
        statements.push(statement);
    }
    Ok(statements)
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
