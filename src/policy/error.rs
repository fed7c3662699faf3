//! Why a document is no policy, and where in it.

use std::fmt::{self, Write as _};

/// Signs of the document that a message quotes of one name or value.
const QUOTED_CHARS_MAX: usize = 80;

pub(super) const TOO_LARGE: &str = "The policy exceeds the maximum allowed document size";
pub(super) const FIRST_BYTE: &str = "Policies must be valid JSON and the first byte must be '{'";
pub(super) const JSON: &str = "This policy contains invalid Json";
pub(super) const SYNTAX: &str = "Invalid policy syntax";
pub(super) const UNKNOWN_FIELD: &str = "Unknown field";
pub(super) const VERSION: &str = "The policy must contain a valid version string";
pub(super) const STATEMENT_EMPTY: &str = "Could not parse the policy: Statement is empty!";
pub(super) const SID_SIGNS: &str = "Statement IDs (SID) must be printable ASCII characters";
pub(super) const SID_TWICE: &str = "Statement IDs (SID) in a single policy must be unique";
pub(super) const EFFECT: &str = "Invalid effect";
pub(super) const PRINCIPAL: &str = "Invalid principal in policy";
pub(super) const ALLOW_BUT_PRINCIPAL: &str = "Allow with NotPrincipal is not allowed";
pub(super) const ACTION: &str = "Policy has invalid action";
pub(super) const RESOURCE: &str = "Policy has invalid resource";
pub(super) const WILDCARDS: &str = "The policy has too many wildcards";
pub(super) const NOTHING_FITS: &str = "Action does not apply to any resource(s) in statement";
pub(super) const CONDITION_TYPE: &str = "Invalid Condition type";
pub(super) const CONDITION_KEY: &str = "Policy has an invalid condition key";
pub(super) const CONDITION_VALUE: &str = "Policy has an invalid condition value";

/// A refused document. Displays as S3's sentence, followed by the place and the text there. Short and without control
/// characters, whatever the document holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    sentence: &'static str,
    place: String,
}

impl PolicyError {
    pub(super) fn of_document(sentence: &'static str, detail: &str) -> Self {
        let mut place = String::new();
        push_quoted(&mut place, detail);
        Self { sentence, place }
    }

    /// S3's sentence alone.
    pub fn sentence(&self) -> &'static str {
        self.sentence
    }

    /// Where in the document, and what stands there. Empty where the whole document is at fault.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether the document is too long to be looked at.
    pub fn is_too_large(&self) -> bool {
        self.sentence == TOO_LARGE
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.sentence)?;
        if self.place.is_empty() { Ok(()) } else { write!(formatter, " ({})", self.place) }
    }
}

/// A place in a document: a path from the root, kept on the stack by those who walk it, so that it costs nothing where
/// all is well.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    pub(super) fn root(name: &'a str) -> Self {
        Self { parent: None, step: Step::Name(name) }
    }

    pub(super) fn name(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Name(name) }
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// A fault here, without a word on what stands here.
    pub(super) fn fault(&self, sentence: &'static str) -> PolicyError {
        let mut place = String::new();
        self.write(&mut place);
        PolicyError { sentence, place }
    }

    /// A fault of this text.
    pub(super) fn fault_of(&self, sentence: &'static str, text: &str) -> PolicyError {
        let mut error = self.fault(sentence);
        error.place.push_str(": ");
        push_quoted(&mut error.place, text);
        error
    }

    fn write(&self, text: &mut String) {
        if let Some(parent) = self.parent {
            parent.write(text);
        }
        match self.step {
            Step::Index(index) => write!(text, "[{index}]").expect("a string takes everything"),
            Step::Name(name) => {
                if self.parent.is_some() {
                    text.push('.');
                }
                push_quoted(text, name);
            }
        }
    }
}

/// Appends the beginning of what a document says. Messages stand in XML and in logs, so what neither may hold is
/// escaped.
fn push_quoted(text: &mut String, quoted: &str) {
    let mut chars = quoted.chars();
    for char in chars.by_ref().take(QUOTED_CHARS_MAX) {
        if char.is_control() || matches!(char, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}') {
            text.extend(char.escape_unicode());
        } else {
            text.push(char);
        }
    }
    if chars.next().is_some() {
        text.push('…');
    }
}
