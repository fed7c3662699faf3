//! Reads a request body into a small tree, within bounds.
//!
//! Bytes, depth, elements and attributes are capped, so the tree of a hostile body costs a few times the body
//! at most. Document types, processing instructions and every entity but the five of XML are refused: nothing
//! here expands or fetches anything. Namespaces and prefixes are dropped, because clients send S3 bodies with
//! and without them.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::config::limits::{XML_ATTRIBUTES_MAX, XML_BODY_BYTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX};
use crate::s3::error::S3Error;

/// An element of a request body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Name without its prefix.
    pub name: String,
    /// Text with references resolved. Empty where the element has children.
    pub text: String,
    /// Child elements in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that name, in order.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Text of the first child of that name.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// Why a body is no document that this server takes. The client gets `MalformedXML` for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    #[error("not UTF-8")]
    Encoding,
    #[error("not well-formed")]
    NotWellFormed,
    #[error("a document type, a processing instruction or an entity")]
    Forbidden,
    #[error("text beside child elements")]
    MixedContent,
    #[error("too large, too deep or too many elements")]
    TooLarge,
}

impl From<XmlError> for S3Error {
    fn from(_: XmlError) -> Self {
        S3Error::malformed_xml()
    }
}

/// Reads a whole document and gives its root element.
pub fn parse(body: &[u8]) -> Result<Element, XmlError> {
    if body.len() > XML_BODY_BYTES_MAX {
        return Err(XmlError::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| XmlError::Encoding)?;
    // XML has no way to write NUL, and no request has a use for it.
    if memchr::memchr(0, body).is_some() {
        return Err(XmlError::NotWellFormed);
    }
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    reader.config_mut().check_comments = true;
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(|_| XmlError::NotWellFormed)? {
            Event::Start(start) => tree.open(&start)?,
            Event::Empty(start) => {
                tree.open(&start)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.append(&text.xml10_content())?,
            Event::CData(text) => tree.append(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.append(&resolve(&reference)?)?,
            Event::Comment(_) => {}
            Event::Decl(declaration) => tree.declare(declaration.encoding())?,
            Event::PI(_) | Event::DocType(_) => return Err(XmlError::Forbidden),
            Event::Eof => return tree.finish(),
        }
    }
}

/// The tree while it grows: the elements that are open, outermost first.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    declared: bool,
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        self.elements = self.elements.saturating_add(1);
        if self.elements > XML_ELEMENTS_MAX || self.open.len() >= XML_DEPTH_MAX {
            return Err(XmlError::TooLarge);
        }
        if self.root.is_some() {
            return Err(XmlError::NotWellFormed);
        }
        // Attributes say nothing in S3 (namespaces aside), but a broken one makes the document broken. The
        // parser's own check for duplicates is quadratic, hence off.
        for (index, attribute) in start.attributes().with_checks(false).enumerate() {
            if index >= XML_ATTRIBUTES_MAX {
                return Err(XmlError::TooLarge);
            }
            attribute.map_err(|_| XmlError::NotWellFormed)?;
        }
        if let Some(parent) = self.open.last_mut() {
            if !is_blank(&parent.text) {
                return Err(XmlError::MixedContent);
            }
            parent.text.clear();
        }
        let name = start.local_name().into_inner().to_owned();
        self.open.push(Element { name, ..Element::default() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or(XmlError::NotWellFormed)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn append(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) if element.children.is_empty() => element.text.push_str(text),
            Some(_) if !is_blank(text) => return Err(XmlError::MixedContent),
            None if !is_blank(text) => return Err(XmlError::NotWellFormed),
            _ => {}
        }
        Ok(())
    }

    /// The declaration stands first and names UTF-8 or nothing.
    fn declare<E>(&mut self, encoding: Option<Result<Cow<'_, str>, E>>) -> Result<(), XmlError> {
        if self.declared || self.elements > 0 {
            return Err(XmlError::NotWellFormed);
        }
        self.declared = true;
        match encoding {
            None => Ok(()),
            Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => Ok(()),
            Some(_) => Err(XmlError::Encoding),
        }
    }

    fn finish(self) -> Result<Element, XmlError> {
        if self.open.is_empty() {
            self.root.ok_or(XmlError::NotWellFormed)
        } else {
            Err(XmlError::NotWellFormed)
        }
    }
}

/// A character reference or one of the five entities of XML.
///
/// References to control characters are taken although XML 1.0 forbids them: listings answer with them where
/// a key holds such a character, and the client must be able to name that key in DeleteObjects.
fn resolve(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, XmlError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => return Ok(Cow::Owned(character.to_string())),
        Ok(None) => {}
        Err(_) => return Err(XmlError::NotWellFormed),
    }
    match &**reference {
        "lt" => Ok(Cow::Borrowed("<")),
        "gt" => Ok(Cow::Borrowed(">")),
        "amp" => Ok(Cow::Borrowed("&")),
        "quot" => Ok(Cow::Borrowed("\"")),
        "apos" => Ok(Cow::Borrowed("'")),
        _ => Err(XmlError::Forbidden),
    }
}

/// White space as XML has it.
fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
