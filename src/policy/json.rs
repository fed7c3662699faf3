//! JSON as policies need it: the order of members is kept, a name that stands twice is a fault, numbers and booleans
//! are as good as their text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::PolicyError;
use super::error::{JSON, Place};

/// A JSON value. Nesting is bounded by serde_json.
#[derive(Debug, PartialEq)]
pub(super) enum Json {
    Null,
    /// A string, or a number or boolean as its text.
    Scalar {
        text: String,
        is_string: bool,
    },
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        serde_json::from_slice(bytes).map_err(|error| PolicyError::of_document(JSON, &error.to_string()))
    }

    pub(super) fn as_string(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, is_string: true } => Some(text),
            _ => None,
        }
    }

    /// The text of a string, number or boolean.
    pub(super) fn as_scalar(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_object(&self) -> Option<&[(String, Json)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Visits a value that may stand alone or be one of an array, each with its place. Gives their number.
    pub(super) fn each<'a>(
        &'a self,
        place: &Place<'_>,
        mut visit: impl FnMut(&'a Json, &Place<'_>) -> Result<(), PolicyError>,
    ) -> Result<usize, PolicyError> {
        let Self::Array(values) = self else {
            return visit(self, place).map(|()| 1);
        };
        for (index, value) in values.iter().enumerate() {
            visit(value, &place.index(index))?;
        }
        Ok(values.len())
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl JsonVisitor {
    fn scalar(value: &impl ToString) -> Json {
        Json::Scalar { text: value.to_string(), is_string: false }
    }
}

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Self::scalar(&value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Self::scalar(&value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Self::scalar(&value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Self::scalar(&value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Scalar { text: value.to_owned(), is_string: true })
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Scalar { text: value, is_string: true })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        match twice(&members) {
            Some(name) => Err(A::Error::custom(format_args!("duplicate key {name:?}"))),
            None => Ok(Json::Object(members)),
        }
    }
}

/// A name that stands twice. By sorting, since an object may be nothing but names.
fn twice(members: &[(String, Json)]) -> Option<&str> {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
