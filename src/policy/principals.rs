//! Whom a statement is about.

use super::error::{PRINCIPAL, Place};
use super::json::Json;
use super::{PolicyError, Principal};

/// `Principal`, `NotPrincipal` or neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principals {
    /// Everybody of the organisation whose policy it is.
    OfTheOrg,
    Only(Vec<Who>),
    AllBut(Vec<Who>),
}

/// One principal of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// `*`: also who did not sign.
    Everybody,
    Org(String),
    User {
        org: String,
        user: String,
    },
    AccessKey(String),
    /// A group of an identity provider: the node knows none.
    Nobody,
}

impl Principals {
    /// `is_of_org`: the requester belongs to the organisation whose policy it is.
    pub(super) fn include(&self, principal: Principal<'_>, is_of_org: bool) -> bool {
        match self {
            Self::OfTheOrg => is_of_org,
            Self::Only(list) => list.iter().any(|who| who.is(principal)),
            Self::AllBut(list) => !list.iter().any(|who| who.is(principal)),
        }
    }
}

impl Who {
    fn is(&self, principal: Principal<'_>) -> bool {
        let Principal::User { org, user, access_key } = principal else {
            return *self == Self::Everybody;
        };
        match self {
            Self::Everybody => true,
            Self::Org(name) => name == org,
            Self::User { org: of, user: name } => name == user && of == org,
            Self::AccessKey(name) => name == access_key,
            Self::Nobody => false,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everybody);
        }
        let Some(arn) = text.strip_prefix("arn:aws:iam::") else {
            let is_id = |char: char| !char.is_whitespace() && !char.is_control() && !":/*?".contains(char);
            return (!text.is_empty() && text.chars().all(is_id)).then(|| Self::Org(text.to_owned()));
        };
        let (org, identity) = arn.split_once(':')?;
        if has_wildcard(org) {
            return None;
        }
        if matches!(identity, "root" | "*") {
            return Some(Self::Org(org.to_owned()));
        }
        let (kind, name) = identity.split_once('/')?;
        // A wildcard for a whole name is one thing, one for part of a name S3 has not.
        if name.is_empty() || (name != "*" && has_wildcard(name)) {
            return None;
        }
        match kind {
            "saml" => Some(Self::Nobody),
            "coreweave" | "user" if name == "*" => Some(Self::Org(org.to_owned())),
            "user" if org.is_empty() => Some(Self::AccessKey(name.to_owned())),
            "coreweave" | "user" => Some(Self::User { org: org.to_owned(), user: name.to_owned() }),
            _ => None,
        }
    }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Reads the value of `Principal` or `NotPrincipal`.
pub(super) fn parse_list(json: &Json, place: &Place<'_>) -> Result<Vec<Who>, PolicyError> {
    if let Some(text) = json.as_string() {
        // Alone stands only the star.
        return if text == "*" { Ok(vec![Who::Everybody]) } else { Err(place.fault_of(PRINCIPAL, text)) };
    }
    let mut list = Vec::new();
    for (kind, names) in json.as_object().ok_or_else(|| place.fault(PRINCIPAL))? {
        let place = place.name(kind);
        if !matches!(kind.as_str(), "AWS" | "CW") {
            return Err(place.fault(PRINCIPAL));
        }
        names.each(&place, |name, place| {
            let text = name.as_string().ok_or_else(|| place.fault(PRINCIPAL))?;
            list.push(Who::parse(text).ok_or_else(|| place.fault_of(PRINCIPAL, text))?);
            Ok(())
        })?;
    }
    if list.is_empty() { Err(place.fault(PRINCIPAL)) } else { Ok(list) }
}

#[cfg(test)]
#[path = "principals_tests.rs"]
mod tests;
