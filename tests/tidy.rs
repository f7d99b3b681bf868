//! What no compiler checks: layering, sizes, names, links, licences. Each rule says its reason.

#![allow(missing_docs, reason = "a test binary has no readers but its source's")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of this file is a test")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Lines of a file that are not tests.
const FILE_LINES_MAX: usize = 400;
/// Files that may be longer, each with its reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// Folders that do no I/O, see no clock and draw no random numbers: so they can be tested in full, and trusted.
const PURE: [&str; 6] = ["src/code/", "src/cold_chain/", "src/epcis/", "src/registration/", "src/tlog/", "src/trace/"];
const IMPURE: [&str; 20] = [
    "tokio",
    "axum",
    "fjall",
    "scylla",
    "object_store",
    "getrandom",
    "rand::",
    "crate::store",
    "crate::service",
    "crate::http",
    "crate::pages",
    "crate::config",
    "crate::command",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
];

/// Folders that know JSON: elsewhere a type means what it is, not how it is written.
const JSON: [&str; 2] = ["src/http/", "src/epcis/"];

/// Names that say nothing about what a file is for.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "shared", "stuff"];

/// Licences under which a dependency may be: permissive ones, and none that reaches into this program's source.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

struct Source {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The code without its tests and comments, each line with its number.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().take(self.lines_before_tests()).enumerate();
        lines.map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn lines_before_tests(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1] == "mod tests {");
        tests.unwrap_or(lines.len())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the project with this extension, of which there must be one: a rule without a file checks nothing.
fn sources(extension: &str) -> Vec<Source> {
    let found = files(extension);
    assert!(!found.is_empty(), "no .{extension} file was found, so that nothing was checked");
    found
}

fn files(extension: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(root())];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                let is_ours = !name.starts_with('.') && name != "target" && name != "demo-data" && name != "data";
                folders.extend(is_ours.then_some(path));
            } else if path.extension().is_some_and(|found| found == extension) {
                let relative = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source { path: relative, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn rust_in(folder: &str) -> Vec<Source> {
    sources("rs").into_iter().filter(|source| source.path.starts_with(folder)).collect()
}

fn none(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn pure_folders_do_no_io_and_see_no_clock() {
    let mut violations = Vec::new();
    for source in rust_in("src/").iter().filter(|source| PURE.iter().any(|pure| source.path.starts_with(pure))) {
        for (number, line) in source.code() {
            for word in IMPURE.iter().filter(|word| has_word(line, word)) {
                violations.push(format!("{}:{number}: {word} in a pure folder: make it an argument", source.path));
            }
        }
    }
    none(violations);
}

#[test]
fn only_http_and_epcis_know_json() {
    let mut violations = Vec::new();
    for source in rust_in("src/").iter().filter(|source| !JSON.iter().any(|json| source.path.starts_with(json))) {
        for (number, line) in source.code().filter(|(_, line)| has_word(line, "serde_json")) {
            violations.push(format!("{}:{number}: {}", source.path, line.trim()));
        }
    }
    none(violations);
}

#[test]
fn the_service_does_not_know_how_it_is_called() {
    let mut violations = Vec::new();
    for (folder, words) in [
        ("src/store/", ["crate::service", "crate::http", "crate::pages", "axum"]),
        ("src/service/", ["crate::http", "crate::command", "axum", "fjall"]),
        ("src/service/", ["scylla", "rustls", "crate::store::cql", "CqlStore"]),
    ] {
        for source in rust_in(folder) {
            for (number, line) in source.code() {
                for word in words.iter().filter(|word| has_word(line, word)) {
                    violations.push(format!("{}:{number}: {word}", source.path));
                }
            }
        }
    }
    none(violations);
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let mut violations = Vec::new();
    for source in rust_in("src/").iter().chain(&rust_in("loadtest/")) {
        let lines = source.lines_before_tests();
        let excused = LONG_FILES.iter().any(|(path, _)| *path == source.path);
        if lines > FILE_LINES_MAX && !excused {
            violations.push(format!("{} has {lines} lines before its tests; at most {FILE_LINES_MAX}", source.path));
        }
        if lines <= FILE_LINES_MAX && excused {
            violations.push(format!("{} has only {lines} lines: strike it from LONG_FILES", source.path));
        }
    }
    for (path, _) in LONG_FILES.iter().filter(|(path, _)| !root().join(path).exists()) {
        violations.push(format!("{path} is in LONG_FILES and does not exist"));
    }
    none(violations);
}

#[test]
fn names_say_what_a_file_is_for() {
    let mut violations = Vec::new();
    for source in rust_in("src/").iter().chain(&rust_in("tests/")).chain(&rust_in("loadtest/")) {
        let parts = source.path.trim_end_matches(".rs").split('/');
        if let Some(name) = parts.into_iter().find(|part| EMPTY_NAMES.contains(part)) {
            violations.push(format!("{}: what is {name:?} for?", source.path));
        }
    }
    none(violations);
}

#[test]
fn links_between_documents_resolve() {
    let mut violations = Vec::new();
    for source in sources("md") {
        let folder = root().join(&source.path).parent().unwrap().to_owned();
        for link in markdown_links(&source.text) {
            let target = link.split('#').next().unwrap();
            let is_ours = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
            if is_ours && !folder.join(target).exists() {
                violations.push(format!("{}: {link} leads nowhere", source.path));
            }
        }
    }
    none(violations);
}

#[test]
fn pages_that_are_named_anywhere_exist() {
    let mut violations = Vec::new();
    for source in sources("md").iter().chain(&sources("rs")).chain(&sources("toml")) {
        for page in named_pages(&source.text).filter(|page| !root().join(page).exists()) {
            violations.push(format!("{} names {page}, which does not exist", source.path));
        }
    }
    none(violations);
}

#[test]
fn every_specification_is_read_by_a_test() {
    let specifications = sources("md").into_iter().filter(|source| source.path.starts_with("docs/spec/"));
    let readers = sources("rs");
    let mut violations = Vec::new();
    for page in specifications {
        let reads = |line: &str| line.contains(&page.path) && !line.trim_start().starts_with("//");
        if !readers.iter().any(|source| source.text.lines().any(reads)) {
            violations.push(format!("{} has no test that reads it", page.path));
        }
    }
    none(violations);
}

#[test]
fn the_map_of_the_house_names_every_folder() {
    let map = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let mut violations = Vec::new();
    let mut folders: Vec<String> = rust_in("src/")
        .iter()
        .filter_map(|source| source.path.strip_prefix("src/")?.split_once('/').map(|(folder, _)| folder.to_owned()))
        .collect();
    folders.dedup();
    for folder in folders.iter().filter(|folder| !map.contains(&format!("`src/{folder}/`"))) {
        violations.push(format!("docs/ARCHITECTURE.md does not say what src/{folder}/ is"));
    }
    none(violations);
}

#[test]
fn nothing_is_left_unfinished_and_nothing_names_where_packages_come_from() {
    // Spelt in halves, so that this file passes its own test.
    let words = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["To be", " filled"],
        ["todo", "!("],
        ["unimplemented", "!("],
        ["crates", ".io"],
        ["pypi", ".org"],
        ["npmjs", ".org"],
        ["deb.debian", ".org"],
        ["maven.apache", ".org/maven2"],
    ]
    .map(|halves| halves.concat());
    let mut violations = Vec::new();
    for extension in ["rs", "md", "toml", "yml", "html", "css", "sh"] {
        for source in files(extension) {
            for (index, line) in source.text.lines().enumerate() {
                for word in words.iter().filter(|word| line.contains(*word)) {
                    violations.push(format!("{}:{}: {word}", source.path, index + 1));
                }
            }
        }
    }
    none(violations);
}

#[test]
fn dependencies_are_free_and_come_from_the_registry() {
    let metadata = metadata();
    let mut violations = Vec::new();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "only {} packages were looked at", packages.len());
    for package in packages {
        let name = format!("{} {}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
        // A package of this workspace has no source; everything else is pinned by a checksum in Cargo.lock.
        if package["source"].as_str().is_some_and(|source| !source.starts_with("registry+")) {
            violations.push(format!("{name} comes from {}", package["source"]));
        }
        let licence = package["license"].as_str().unwrap_or("none");
        if !is_allowed(licence) {
            violations.push(format!("{name} is under {licence}"));
        }
    }
    none(violations);
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    for allowed in ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Zlib", "GPL-2.0 OR (MIT AND ISC)"]
    {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in ["none", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "Apache-2.0 WITH exception", ""] {
        assert!(!is_allowed(refused), "{refused}");
    }
}

/// `word` not as part of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_name) && (word.ends_with(':') || !after.is_some_and(is_name))
    })
}

/// Targets of `[text](target)`.
fn markdown_links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
}

/// Words like `docs/STYLE.md`.
fn named_pages(text: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    text.split(move |c| !is_path(c)).filter(|word| word.starts_with("docs/") && word.ends_with(".md"))
}

fn metadata() -> serde_json::Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let host = Command::new("rustc").arg("-vV").output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
    // For this platform alone: others' packages need not have been downloaded.
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform", &host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether an SPDX expression can be met with allowed licences alone. AND binds tighter than OR.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let any = split_outside_parentheses(&expression, " OR ");
    if any.len() > 1 {
        return any.into_iter().any(is_allowed);
    }
    let all = split_outside_parentheses(&expression, " AND ");
    if all.len() > 1 {
        return all.into_iter().all(is_allowed);
    }
    let inner = expression.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    inner.map_or_else(|| LICENCES.contains(&expression.trim()), is_allowed)
}

fn split_outside_parentheses<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, _) in text
        .match_indices(separator)
        .filter(|(at, _)| text[..*at].matches('(').count() == text[..*at].matches(')').count())
    {
        parts.push(&text[start..at]);
        start = at + separator.len();
    }
    parts.push(&text[start..]);
    parts
}
