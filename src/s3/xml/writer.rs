//! Writes a document element by element, escaping every text.
//!
//! Elements close in the order in which they opened because the writer keeps the stack; a document that
//! [`Writer::finish`] returns is always well nested.

use std::fmt::Write;

use super::NAMESPACE;

const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A document being written.
#[derive(Debug)]
pub struct Writer {
    text: String,
    open: Vec<&'static str>,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// Starts a document: the prolog and nothing else.
    pub fn new() -> Self {
        Self { text: PROLOG.to_owned(), open: Vec::new() }
    }

    /// Starts a document whose root element carries the S3 namespace.
    pub fn with_root(name: &'static str) -> Self {
        let mut writer = Self::new();
        writer.root(name);
        writer
    }

    /// Opens the root element, with the S3 namespace.
    pub fn root(&mut self, name: &'static str) {
        self.open_with(name, &[("xmlns", NAMESPACE)]);
    }

    /// Opens an element.
    pub fn open(&mut self, name: &'static str) {
        self.tag("<", name);
        self.open.push(name);
    }

    /// Opens an element with attributes. Their values are ours, never a client's: readers would turn a line break in one
    /// into a space.
    pub fn open_with(&mut self, name: &'static str, attributes: &[(&'static str, &'static str)]) {
        self.text.push('<');
        self.text.push_str(name);
        for (attribute, value) in attributes {
            self.text.push(' ');
            self.text.push_str(attribute);
            self.text.push_str("=\"");
            self.text(value);
            self.text.push('"');
        }
        self.text.push('>');
        self.open.push(name);
    }

    /// Closes the element that was opened last. Without one there is nothing to do.
    pub fn close(&mut self) {
        debug_assert!(!self.open.is_empty(), "close without open");
        if let Some(name) = self.open.pop() {
            self.tag("</", name);
        }
    }

    /// Writes an element that holds only text.
    pub fn element(&mut self, name: &str, text: &str) {
        self.tag("<", name);
        self.text(text);
        self.tag("</", name);
    }

    /// Writes an element if there is a text for it.
    pub fn element_if(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.element(name, text);
        }
    }

    /// Writes an element that holds a number.
    pub fn number(&mut self, name: &str, number: u64) {
        self.element(name, itoa::Buffer::new().format(number));
    }

    /// Writes an element that holds `true` or `false`.
    pub fn boolean(&mut self, name: &str, value: bool) {
        self.element(name, if value { "true" } else { "false" });
    }

    /// Writes text into the element that is open.
    pub fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some((before, special, after)) = split_at_special(rest) {
            self.text.push_str(before);
            self.escape(special);
            rest = after;
        }
        self.text.push_str(rest);
    }

    /// Closes what is still open and gives the document.
    pub fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        self.text.into_bytes()
    }

    fn tag(&mut self, start: &str, name: &str) {
        self.text.push_str(start);
        self.text.push_str(name);
        self.text.push('>');
    }

    fn escape(&mut self, special: char) {
        match special {
            '<' => self.text.push_str("&lt;"),
            '>' => self.text.push_str("&gt;"),
            '&' => self.text.push_str("&amp;"),
            '"' => self.text.push_str("&quot;"),
            // XML 1.0 forbids most of these even as references, but a key may hold them, AWS answers so, and
            // clients that cannot read it ask for `encoding-type=url`.
            other => {
                let written = write!(self.text, "&#x{:x};", u32::from(other));
                debug_assert!(written.is_ok(), "a String takes every write");
            }
        }
    }
}

/// Splits at the first character that may not stand in a text as it is.
fn split_at_special(text: &str) -> Option<(&str, char, &str)> {
    let at = text.find(is_special)?;
    let (before, from) = text.split_at_checked(at)?;
    let mut characters = from.chars();
    let special = characters.next()?;
    Some((before, special, characters.as_str()))
}

/// A carriage return is legal but readers turn it into a line feed, so it goes as a reference too.
fn is_special(character: char) -> bool {
    match character {
        '\t' | '\n' => false,
        '<' | '>' | '&' | '"' | '\u{fffe}' | '\u{ffff}' => true,
        other => other < ' ',
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
