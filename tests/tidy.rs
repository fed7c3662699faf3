//! The house rules that no compiler checks: lengths, direction of imports, names, module docs, formatting,
//! words that must not stand in the tree. Each failure prints `file:line`.
//!
//! The rules are functions over one file; below them each is tested on a small planted text. Code is searched
//! after [`mask`] has blanked comments and literals, so that a word in a text is no finding.

use std::fmt;
use std::path::Path;
use std::process::Command;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// What each top-level module of `src` may import: the modules that stand below it. `io` is the crate
/// `ringstone_io`. A module that is missing here may not exist.
const LAYERS: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("checksum", &[]),
    ("seal", &["config"]),
    ("policy", &["config"]),
    ("metrics", &["config"]),
    ("audit", &["config"]),
    ("http", &["io", "config", "metrics"]),
    ("index", &["io", "config", "metrics", "checksum", "seal"]),
    ("commit", &["io", "index", "config", "metrics"]),
    ("store", &["io", "commit", "index", "checksum", "seal", "config", "metrics"]),
    ("auth", &["http", "checksum", "config"]),
    (
        "s3",
        &[
            "io", "http", "auth", "audit", "policy", "store", "commit", "index", "checksum", "seal",
            "metrics", "config",
        ],
    ),
    (
        "server",
        &[
            "io", "s3", "http", "auth", "audit", "policy", "store", "commit", "index", "checksum", "seal",
            "metrics", "config",
        ],
    ),
    ("cli", &["config", "server", "store", "index"]),
];

/// The one file outside `io/` that may say `unsafe`: it opens LMDB.
const UNSAFE_EXCEPTION: &str = "src/index/engine/lmdb.rs";

/// Names that say nothing about what a file owns.
const NAMES_FORBIDDEN: &[&str] = &[
    "utils", "util", "helpers", "helper", "common", "misc", "types", "manager", "base", "data", "handler",
    "handlers", "service", "services", "shared",
];

/// Written in halves, so that this file does not find itself.
const WORDS_FORBIDDEN: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
const MACROS_FORBIDDEN: &[&str] = &["todo!", "unimplemented!", "dbg!"];
const PATHS_FORBIDDEN: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];

#[derive(Debug, PartialEq, Eq)]
struct Fault {
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// One text file of the tree.
struct Source {
    path: String,
    text: String,
    /// The text with comments and literals blanked; same lines, same columns. Empty where it is not Rust.
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let code = if is_rust(path) { mask(text) } else { String::new() };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    fn is_rust(&self) -> bool {
        is_rust(&self.path)
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("_tests.rs") || self.path.contains("tests/") || self.path.contains("benches/")
    }

    fn fault(&self, offset: usize, message: impl Into<String>) -> Fault {
        let line = 1 + self.text[..offset].matches('\n').count();
        Fault { path: self.path.clone(), line, message: message.into() }
    }
}

// ---------------------------------------------------------------------------------------------- the rules

const RULES: &[fn(&Source) -> Vec<Fault>] = &[
    file_length,
    function_length,
    import_direction,
    unsafe_outside_io,
    forbidden_names,
    module_docs,
    forbidden_words,
    machine_paths,
];

fn file_length(source: &Source) -> Vec<Fault> {
    let lines = source.text.lines().count();
    if !source.is_rust() || lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![Fault {
        path: source.path.clone(),
        line: FILE_LINES_MAX + 1,
        message: format!("{lines} lines; a file has at most {FILE_LINES_MAX}"),
    }]
}

fn function_length(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for at in words(&source.code, "fn") {
        let name = identifier(source.code[at + 2..].trim_start());
        let Some(body) = body_of(&source.code[at..]).filter(|_| !name.is_empty()) else { continue };
        let lines = body.matches('\n').count().saturating_sub(1);
        if lines > FUNCTION_LINES_MAX {
            let message = format!("`{name}` has {lines} lines; a function has at most {FUNCTION_LINES_MAX}");
            faults.push(source.fault(at, message));
        }
    }
    faults
}

fn import_direction(source: &Source) -> Vec<Fault> {
    let Some(module) = top_level_module(&source.path).filter(|_| !source.is_test()) else {
        return Vec::new();
    };
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
        return vec![source.fault(0, format!("the module `{module}` has no place in LAYERS"))];
    };
    let mut faults = Vec::new();
    for (at, target) in imports(source) {
        let is_module = target == "io" || LAYERS.iter().any(|(name, _)| *name == target);
        if is_module && target != module && !allowed.contains(&target.as_str()) {
            faults.push(source.fault(at, format!("`{module}` may not import `{target}`")));
        }
    }
    faults
}

fn unsafe_outside_io(source: &Source) -> Vec<Fault> {
    if source.path.starts_with("io/") || source.path == UNSAFE_EXCEPTION {
        return Vec::new();
    }
    words(&source.code, "unsafe").map(|at| source.fault(at, "`unsafe` belongs into io/")).collect()
}

fn forbidden_names(source: &Source) -> Vec<Fault> {
    if !source.is_rust() {
        return Vec::new();
    }
    let is_forbidden = |name: &str| NAMES_FORBIDDEN.contains(&name.strip_suffix("_tests").unwrap_or(name));
    let mut faults = Vec::new();
    for part in source.path.trim_end_matches(".rs").split('/') {
        if is_forbidden(part) {
            faults.push(source.fault(0, format!("`{part}` is no name for a file or folder")));
        }
    }
    if source.path.starts_with("src/") && source.path.ends_with("/core.rs") {
        faults.push(source.fault(0, "`core` is no name for a file here"));
    }
    for at in words(&source.code, "mod") {
        let name = identifier(source.code[at + 3..].trim_start());
        if is_forbidden(name) {
            faults.push(source.fault(at, format!("`{name}` is no name for a module")));
        }
    }
    faults
}

fn module_docs(source: &Source) -> Vec<Fault> {
    if !source.is_rust() || source.path.ends_with("_tests.rs") || source.text.starts_with("//!") {
        return Vec::new();
    }
    vec![source.fault(0, "the file does not start with its documentation (`//!`)")]
}

fn forbidden_words(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for word in WORDS_FORBIDDEN {
        faults.extend(words(&source.text, word).map(|at| source.fault(at, format!("`{word}`"))));
    }
    for name in MACROS_FORBIDDEN {
        faults.extend(words(&source.code, name).map(|at| source.fault(at, format!("`{name}`"))));
    }
    let allowed = source.code.match_indices("allow(dead_code)");
    faults.extend(allowed.map(|(at, _)| source.fault(at, "dead code is deleted, not allowed")));
    faults
}

fn machine_paths(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in PATHS_FORBIDDEN {
        for (at, _) in source.text.match_indices(path) {
            // Behind a name it is a relative path, such as `io/work/`.
            let before = source.text[..at].chars().next_back().unwrap_or(' ');
            if !before.is_alphanumeric() && !"._-}".contains(before) {
                faults.push(source.fault(at, format!("`{path}` is a path of one machine")));
            }
        }
    }
    faults
}

// ------------------------------------------------------------------------------------- reading Rust text

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Blanks comments, strings and characters; every other byte keeps its place.
fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut masked = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = at + literal_length(bytes, at).max(1);
        let end = end.min(bytes.len());
        if end > at + 1 {
            for byte in &mut masked[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        at = end;
    }
    String::from_utf8(masked).expect("whole literals are blanked, so whole characters remain")
}

/// Length of the comment or literal that starts here; 0 where none does.
fn literal_length(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let follows_name = at > 0 && is_name(bytes[at - 1]);
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment_length(rest),
        [b'"', ..] => quoted_length(rest, b'"'),
        [b'b' | b'c', b'"', ..] if !follows_name => 1 + quoted_length(&rest[1..], b'"'),
        [b'b', b'\'', ..] if !follows_name => 1 + quoted_length(&rest[1..], b'\''),
        [b'r', ..] if !follows_name => raw_length(rest, 1),
        [b'b' | b'c', b'r', ..] if !follows_name => raw_length(rest, 2),
        // A lifetime has no second quote after one character.
        [b'\'', b'\\', ..] => quoted_length(rest, b'\''),
        [b'\'', ..] => character_length(rest),
        _ => 0,
    }
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A raw string: `prefix` bytes of letters, some hashes, a quote.
fn raw_length(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return 0;
    }
    let start = prefix + hashes + 1;
    let end = [b"\"", &vec![b'#'; hashes][..]].concat();
    let found = rest[start..].windows(end.len()).position(|window| window == end);
    found.map_or(rest.len(), |found| start + found + end.len())
}

fn character_length(rest: &[u8]) -> usize {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]);
    let length = text.chars().next().map_or(1, char::len_utf8);
    if rest.get(1 + length) == Some(&b'\'') { length + 2 } else { 0 }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Places where the word stands alone.
fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let starts = *at == 0 || !is_name(bytes[*at - 1]);
        let ends = word.ends_with('!') || bytes.get(*at + word.len()).is_none_or(|byte| !is_name(*byte));
        starts && ends
    })
}

fn identifier(text: &str) -> &str {
    let length = text.bytes().take_while(|byte| is_name(*byte)).count();
    &text[..length]
}

/// The braces of the function whose `fn` starts the text; `None` where it has no body.
fn body_of(code: &str) -> Option<&str> {
    let mut nested = 0usize;
    let open = code.bytes().position(|byte| {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested = nested.saturating_sub(1),
            _ => {}
        }
        nested == 0 && matches!(byte, b'{' | b';')
    })?;
    let body = &code[open..];
    let mut depth = 0usize;
    let close = body.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })?;
    body.starts_with('{').then(|| &body[..=close])
}

/// The module right below the crate that a file of `src` belongs to.
fn top_level_module(path: &str) -> Option<&str> {
    let module = path.strip_prefix("src/")?.split('/').next()?;
    let module = module.trim_end_matches(".rs");
    (module != "lib" && module != "main").then_some(module)
}

/// Top-level modules that a file names, by `crate::`, by climbing to the crate, or as the crate below.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let code = source.code.as_str();
    let mut found: Vec<(usize, String)> =
        words(code, "ringstone_io").map(|at| (at, "io".to_owned())).collect();
    for at in words(code, "crate") {
        if let Some(rest) = code[at..].strip_prefix("crate::") {
            found.extend(first_names(rest).into_iter().map(|name| (at, name)));
        }
    }
    let depth = source.path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count() - 1;
    let climb = "super::".repeat(depth);
    for (at, _) in code.match_indices(&climb) {
        let preceded = code[..at].ends_with("super::") || code[..at].ends_with('_');
        if !preceded && !code[at + climb.len()..].starts_with("super::") {
            let names = first_names(&code[at + climb.len()..]);
            found.extend(names.into_iter().map(|name| (at, name)));
        }
    }
    found
}

/// The first names of a path or of a braced group of paths: `a::b` and `{a::b, c}`.
fn first_names(rest: &str) -> Vec<String> {
    if !rest.starts_with('{') {
        return vec![identifier(rest).to_owned()];
    }
    let (mut names, mut depth, mut expected) = (Vec::new(), 0usize, false);
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'{' => (depth, expected) = (depth + 1, depth == 0),
            b'}' => depth -= 1,
            b',' => expected = depth == 1,
            byte if expected && is_name(byte) => {
                names.push(identifier(&rest[at..]).to_owned());
                expected = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

// ------------------------------------------------------------------------------------------ the real tree

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files that git tracks or would track, so that a new file is judged before it is added.
fn files() -> Vec<String> {
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).expect("file names are UTF-8");
    listed.split('\0').filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
}

fn report(faults: &[Fault]) {
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), lines.join("\n"));
}

#[test]
fn every_file_keeps_the_rules() {
    let mut faults = Vec::new();
    for path in files() {
        let bytes = std::fs::read(root().join(&path)).expect("a listed file can be read");
        // What is not text is a fixture.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let source = Source::new(&path, &text);
        faults.extend(RULES.iter().flat_map(|rule| rule(&source)));
    }
    report(&faults);
}

/// `cargo fmt` does not see modules that a macro declares; this sees every file.
#[test]
fn every_file_is_formatted() {
    let rust: Vec<String> = files().into_iter().filter(|path| is_rust(path)).collect();
    let output = Command::new("rustfmt")
        .args(["--check", "--edition", "2024", "--color", "never"])
        .args(&rust)
        .current_dir(root())
        .output()
        .expect("rustfmt runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut faults: Vec<Fault> = printed.lines().filter_map(formatting_fault).collect();
    faults.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    faults.dedup();
    report(&faults);
    assert!(output.status.success(), "rustfmt: {}", String::from_utf8_lossy(&output.stderr));
}

/// Reads `Diff in /path/to/file.rs:12:` as rustfmt prints it.
fn formatting_fault(line: &str) -> Option<Fault> {
    let (path, line) = line.strip_prefix("Diff in ")?.trim_end_matches(':').rsplit_once(':')?;
    let path = Path::new(path).strip_prefix(root()).unwrap_or(Path::new(path));
    let message = "not formatted; run scripts/fmt".to_owned();
    Some(Fault { path: path.display().to_string(), line: line.parse().ok()?, message })
}

// ------------------------------------------------------------------------------- the rules on planted text

fn lines_of(rule: fn(&Source) -> Vec<Fault>, path: &str, text: &str) -> Vec<usize> {
    rule(&Source::new(path, text)).into_iter().map(|fault| fault.line).collect()
}

#[test]
fn finds_long_files() {
    assert!(lines_of(file_length, "src/a.rs", &"\n".repeat(600)).is_empty());
    assert_eq!(lines_of(file_length, "src/a.rs", &"\n".repeat(601)), [601]);
    assert!(lines_of(file_length, "README.md", &"\n".repeat(601)).is_empty());
}

#[test]
fn finds_long_functions() {
    let function =
        |lines: usize| format!("\nfn a(b: [u8; 2]) {{\n{}}}\n", "    b('}', \"}\"); // }\n".repeat(lines));
    assert!(lines_of(function_length, "src/a.rs", &function(70)).is_empty());
    assert_eq!(lines_of(function_length, "src/a.rs", &function(71)), [2]);
    let declared = format!("trait A {{\n    fn a();\n    const B: fn(u8) = {{\n{}}};\n}}", "\n".repeat(80));
    assert!(lines_of(function_length, "src/a.rs", &declared).is_empty());
}

#[test]
fn finds_imports_against_the_direction() {
    let found = |path, text| lines_of(import_direction, path, text);
    assert_eq!(found("src/http/head.rs", "use crate::config::x;\nuse crate::s3::error;"), [2]);
    assert_eq!(
        found("src/store/mod.rs", "use crate::{\n    commit::{s3, Intent},\n    http::head,\n};"),
        [1]
    );
    assert_eq!(found("src/store/mod.rs", "fn a() {\n    crate::server::run();\n}"), [2]);
    assert_eq!(found("src/store/mod.rs", "use super::server;"), [1]);
    assert_eq!(found("src/store/extent/mod.rs", "use super::server;\nuse super::super::server;"), [2]);
    assert_eq!(found("src/store/reader.rs", "use super::{server};\nuse super::super::{index, auth};"), [2]);
    assert_eq!(found("src/auth/mod.rs", "use ringstone_io::Buffer;"), [1]);
    assert_eq!(found("src/helpful/mod.rs", ""), [1]);
    assert!(found("src/s3/mod.rs", "use crate::{http, store};\nuse ringstone_io::Window;").is_empty());
    assert!(found("src/s3/mod.rs", "// crate::cli\nlet a = \"crate::cli\";").is_empty());
    assert!(found("src/http/head_tests.rs", "use crate::s3;").is_empty());
    assert!(found("src/lib.rs", "use crate::cli;").is_empty());
}

#[test]
fn finds_unsafe() {
    let text = "// unsafe\nlet a = \"unsafe\";\n#![deny(unsafe_code)]\nunsafe { b() }";
    assert_eq!(lines_of(unsafe_outside_io, "src/a.rs", text), [4]);
    assert!(lines_of(unsafe_outside_io, "io/src/a.rs", text).is_empty());
    assert!(lines_of(unsafe_outside_io, UNSAFE_EXCEPTION, text).is_empty());
}

#[test]
fn finds_forbidden_names() {
    for path in [
        "src/utils.rs",
        "src/s3/common/mod.rs",
        "io/src/shared.rs",
        "src/server/core.rs",
        "src/handler_tests.rs",
    ] {
        assert_eq!(lines_of(forbidden_names, path, ""), [1], "{path}");
    }
    assert_eq!(lines_of(forbidden_names, "src/s3/mod.rs", "pub mod error;\nmod helpers;"), [2]);
    for path in ["io/src/disk/core.rs", "src/metrics/core_metrics.rs", "src/s3/ops/service_list.rs"] {
        assert!(lines_of(forbidden_names, path, "mod tests;").is_empty(), "{path}");
    }
}

#[test]
fn finds_missing_module_docs() {
    assert_eq!(lines_of(module_docs, "src/a.rs", "// A comment.\nfn a() {}"), [1]);
    assert!(lines_of(module_docs, "src/a.rs", "//! Owns a.\n").is_empty());
    assert!(lines_of(module_docs, "src/a_tests.rs", "use super::*;").is_empty());
}

#[test]
fn finds_forbidden_words() {
    for word in WORDS_FORBIDDEN {
        assert_eq!(lines_of(forbidden_words, "README.md", &format!("\n{word}: later")), [2]);
        assert!(lines_of(forbidden_words, "README.md", &format!("{word}{word}")).is_empty());
    }
    let text = "todo!();\nunimplemented!();\ndbg!(a);\nmy_dbg!(a); // dbg!\n#[allow(dead_code)]";
    assert_eq!(lines_of(forbidden_words, "src/a.rs", text), [1, 2, 3, 5]);
}

#[test]
fn finds_machine_paths() {
    for path in PATHS_FORBIDDEN {
        assert_eq!(lines_of(machine_paths, "scripts/a", &format!("cd {path}x")), [1]);
        assert!(lines_of(machine_paths, "scripts/a", &format!("cd io{path}x")).is_empty());
    }
}

#[test]
fn masks_comments_and_literals_and_nothing_else() {
    for (text, masked) in [
        ("a /* b /* c */ d */ e", "a                   e"),
        ("a // b\nc", "a     \nc"),
        ("a(\"b\\\"c\", d)", "a(      , d)"),
        ("r#\"a\"b\"# c", "         c"),
        ("br\"a\\\" c", "       c"),
        ("var\"a\"", "var   "),
        ("'a' '\\'' 'é' b'{' c", "                   c"),
        ("<'a> &'static str", "<'a> &'static str"),
    ] {
        assert_eq!(mask(text), masked, "{text}");
    }
}

#[test]
fn reads_the_place_that_rustfmt_prints() {
    let line = format!("Diff in {}/src/a.rs:12:", root().display());
    let fault = formatting_fault(&line).expect("a place");
    assert_eq!((fault.path.as_str(), fault.line), ("src/a.rs", 12));
    assert_eq!(formatting_fault("+    let a = 1;"), None);
}
