//! Paths that documents name.

use crate::{files, files_in, folders, read};
use std::path::{Component, Path, PathBuf};

/// A path in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The document.
    pub file: &'static str,
    /// Counted from 1.
    pub line: usize,
    /// What it names.
    pub path: String,
    /// Whether something tracked has this path: from the root, from the document's folder, or from a folder above it.
    pub exists: bool,
}

/// Every link target, and everything between backticks that looks like a path of this repository.
pub fn mentions() -> Vec<Mention> {
    let mut found = Vec::new();
    for file in files_in("", ".md") {
        let mut fenced = false;
        for (index, line) in read(file).lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
                continue;
            }
            if fenced {
                continue;
            }
            let mut add = |path: &str, exists| {
                found.push(Mention {
                    file,
                    line: index + 1,
                    path: path.to_owned(),
                    exists,
                });
            };
            for target in links(line) {
                add(target, is_there(&parent(file).join(target)));
            }
            for span in line.split('`').skip(1).step_by(2) {
                if let Some(path) = path_like(file, span) {
                    add(path, above(file).any(|folder| is_there(&folder.join(path))));
                } else if is_source_name(span) {
                    add(
                        span,
                        files().iter().any(|f| f.rsplit('/').next() == Some(span)),
                    );
                }
            }
        }
    }
    found
}

/// Targets of `](…)` that are no addresses and no places on the same page.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let targets = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    targets.filter_map(|target| target.split('#').next())
}

/// The path in `span`, if that is what it is: its first part is a folder that the document can see, or it ends as sources do.
fn path_like<'a>(file: &str, span: &'a str) -> Option<&'a str> {
    let path = span.trim_end_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let (first, _) = path.split_once('/')?;
    if !path.chars().all(plain) || first.is_empty() || first == "." {
        return None;
    }
    let known = above(file).any(|folder| is_there(&folder.join(first)));
    (known || has_source_ending(path)).then_some(path)
}

fn is_source_name(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    span.chars().all(plain) && has_source_ending(span) && !span.starts_with('.')
}

fn has_source_ending(path: &str) -> bool {
    [".rs", ".sol", ".md"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// The document's folder and those above it; the last is the root.
fn above(file: &str) -> impl Iterator<Item = &Path> {
    Path::new(file).ancestors().skip(1)
}

fn parent(file: &str) -> &Path {
    Path::new(file).parent().unwrap_or(Path::new(""))
}

fn is_there(path: &Path) -> bool {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if !plain.pop() => return false,
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    plain
        .to_str()
        .is_some_and(|path| files().contains(path) || folders().contains(path))
}
