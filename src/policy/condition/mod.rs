//! Conditions of a statement: operator, key, values.
//!
//! Operators and keys must all hold; of the values of one key any is enough.
//!
//! | the key is absent | then |
//! |---|---|
//! | operator with `IfExists` | holds |
//! | `Null` | holds where `true` is a value |
//! | `ForAllValues:` | holds |
//! | `ForAnyValue:` | does not hold |
//! | negated (`StringNotEquals`, `NotIpAddress`, …) | holds |
//! | any other | does not hold |

mod operand;
mod operator;

use self::operand::Operands;
use self::operator::{Operator, Qualifier};
use super::PolicyError;
use super::context::{Scene, Source};
use super::error::{CONDITION_KEY, CONDITION_TYPE, CONDITION_VALUE, Place, SYNTAX};
use super::json::Json;

/// One key under one operator.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    operator: Operator,
    source: Source,
    operands: Operands,
}

impl Condition {
    /// Reads the whole of `Condition`.
    pub(super) fn parse_all(
        json: &Json,
        has_variables: bool,
        place: &Place<'_>,
    ) -> Result<Vec<Self>, PolicyError> {
        let mut conditions = Vec::new();
        for (name, keys) in json.as_object().ok_or_else(|| place.fault(SYNTAX))? {
            let place = place.name(name);
            let operator = Operator::named(name).ok_or_else(|| place.fault(CONDITION_TYPE))?;
            for (key, values) in keys.as_object().ok_or_else(|| place.fault(SYNTAX))? {
                let place = place.name(key);
                let source = Source::named(key).ok_or_else(|| place.fault(CONDITION_KEY))?;
                let mut operands = Operands::none(operator.kind);
                let count = values.each(&place, |value, place| {
                    let text = value.as_scalar().ok_or_else(|| place.fault(CONDITION_VALUE))?;
                    let is_taken = operands.add(text, has_variables);
                    is_taken.ok_or_else(|| place.fault_of(CONDITION_VALUE, text))
                })?;
                if count == 0 {
                    return Err(place.fault(CONDITION_VALUE));
                }
                conditions.push(Self { operator, source, operands });
            }
        }
        Ok(conditions)
    }

    /// How many passes over values its patterns may take.
    pub(super) fn searches(&self) -> usize {
        self.operands.searches()
    }

    pub(super) fn holds(&self, scene: &Scene<'_>) -> bool {
        let values = scene.values(&self.source);
        if let Operands::Null(wanted) = &self.operands {
            return wanted.contains(&values.is_none());
        }
        let Some(values) = values else { return self.operator.holds_without_key() };
        let is_negated = self.operator.is_negated;
        let mut compared = values.iter().map(|value| self.operands.compare(value, scene));
        match self.operator.qualifier {
            Qualifier::Plain => compared.any(|is_match| is_match) != is_negated,
            Qualifier::ForAnyValue => compared.any(|is_match| is_match != is_negated),
            Qualifier::ForAllValues => compared.all(|is_match| is_match != is_negated),
        }
    }
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;
