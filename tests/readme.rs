//! The README's generated parts: the compatibility table and the configuration reference stand there as the code gives
//! them. `UPDATE_README=1 cargo test --test readme` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ringstone::config::{DEFAULT_TOML, FILE_VARIABLE, KEYS};
use ringstone::s3::compatibility;

/// Set to write the README instead of judging it.
const UPDATE: &str = "UPDATE_README";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// The annotated default file, then every key under the three names it goes by.
fn configuration_reference() -> String {
    let mut text = format!("```toml\n{DEFAULT_TOML}```\n\n");
    text.push_str("| key | environment | flag of `serve` | meaning |\n|---|---|---|---|\n");
    let mut row = |key: &str, variable: &str, flag: &str, meaning: &str| {
        writeln!(text, "| {key} | `{variable}` | `--{flag}` | {meaning} |")
            .expect("a String takes every write");
    };
    for key in KEYS {
        row(&format!("`{}`", key.name), &key.variable(), key.flag, key.help);
    }
    row("none", FILE_VARIABLE, "config", "The configuration file");
    text
}

/// Where the text between `<!-- name:begin -->` and `<!-- name:end -->` starts and ends.
fn between_markers(readme: &str, name: &str) -> (usize, usize) {
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let start = readme.find(&begin).unwrap_or_else(|| panic!("the README lacks {begin:?}")) + begin.len();
    let length = readme[start..].find(&end).unwrap_or_else(|| panic!("the README lacks {end:?}"));
    (start, start + length)
}

#[test]
fn the_generated_parts_are_what_the_code_gives() {
    let mut readme = fs::read_to_string(path()).expect("the README is read");
    let parts = [("operations", compatibility::markdown_table()), ("config", configuration_reference())];
    let mut stale = Vec::new();
    for (name, generated) in &parts {
        let (start, end) = between_markers(&readme, name);
        if readme[start..end] != **generated {
            stale.push(*name);
            readme.replace_range(start..end, generated);
        }
    }
    if stale.is_empty() {
        return;
    }
    assert!(
        std::env::var_os(UPDATE).is_some(),
        "stale in README.md: {}; run: {UPDATE}=1 cargo test --test readme",
        stale.join(", ")
    );
    fs::write(path(), readme).expect("the README is written");
}

#[test]
fn the_place_of_the_figures_is_marked() {
    let readme = fs::read_to_string(path()).expect("the README is read");
    let (start, end) = between_markers(&readme, "performance");
    assert!(start < end, "the README says nothing of its performance");
}
