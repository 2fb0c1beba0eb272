//! Just enough of a lexer for Rust and Solidity to tell code from comments and texts.

/// `source` without comments, and with empty texts.
pub fn code(source: &str) -> String {
    scan(source).0
}

/// The contents of all string literals, as they are written.
pub fn literals(source: &str) -> Vec<String> {
    scan(source).1
}

/// Identifiers and keywords, in order.
pub fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

fn scan(source: &str) -> (String, Vec<String>) {
    let (mut code, mut texts) = (String::new(), Vec::new());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if rest.starts_with("/*") {
            rest = behind_comment(rest);
        } else if let Some(hashes) = raw(rest).filter(|_| !after_word) {
            let open = rest.find('"').expect("a raw text has a quote") + 1;
            let close = format!("\"{}", "#".repeat(hashes));
            let len = rest[open..].find(&close).unwrap_or(rest.len() - open);
            texts.push(rest[open..open + len].to_owned());
            code.push_str("\"\"");
            rest = rest.get(open + len + close.len()..).unwrap_or("");
        } else if c == '"' {
            let len = text_len(&rest[1..]);
            texts.push(rest[1..1 + len].to_owned());
            code.push_str("\"\"");
            rest = rest.get(len + 2..).unwrap_or("");
        } else if let Some(len) = character(rest) {
            code.push_str("''");
            rest = &rest[len..];
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    (code, texts)
}

/// Comments nest in Rust, and nobody writes `/*` inside one in Solidity.
fn behind_comment(source: &str) -> &str {
    let (mut depth, mut at) = (0usize, 0);
    while let Some(pair) = source.get(at..).filter(|rest| !rest.is_empty()) {
        if pair.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if pair.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return &source[at..];
            }
        } else {
            at += pair.chars().next().map_or(1, char::len_utf8);
        }
    }
    ""
}

/// The number of hashes if a raw text begins here.
fn raw(source: &str) -> Option<usize> {
    let rest = source
        .strip_prefix("br")
        .or_else(|| source.strip_prefix('r'))?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// Bytes up to the closing quote.
fn text_len(source: &str) -> usize {
    let mut escaped = false;
    for (at, c) in source.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    source.len()
}

/// The length of a character literal; a lifetime has no closing quote behind its first character.
fn character(source: &str) -> Option<usize> {
    let rest = source.strip_prefix('\'')?;
    let mut chars = rest.char_indices();
    match chars.next()? {
        (_, '\\') => {
            let (after_escape, _) = chars.nth(1)?;
            Some(1 + after_escape + rest[after_escape..].find('\'')? + 1)
        }
        (_, first) => rest[first.len_utf8()..]
            .starts_with('\'')
            .then_some(first.len_utf8() + 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, want_code: &str, want_texts: &[&str]) {
        assert_eq!(code(source), want_code);
        assert_eq!(literals(source), want_texts);
    }

    #[test]
    fn comments_are_no_code() {
        check("a // b\nc /* d /* e */ f */ g", "a \nc  g", &[])
    }
    #[test]
    fn texts_are_no_code() {
        check(r#"f("x // \" y", 1)"#, "f(\"\", 1)", &[r#"x // \" y"#])
    }
    #[test]
    fn raw_texts_end_at_their_hashes() {
        check("r#\"a \" b\"# c", "\"\" c", &["a \" b"])
    }
    #[test]
    fn characters_are_not_lifetimes() {
        check("'\"' &'a '\\'' '\\u{1f}'", "'' &'a '' ''", &[])
    }
    #[test]
    fn a_word_may_end_in_r() {
        check("for\"x\"", "for\"\"", &["x"])
    }
    #[test]
    fn an_open_end_ends() {
        check("a \"b", "a \"\"", &["b"])
    }
}
