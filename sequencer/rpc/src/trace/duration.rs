//! Durations as Go writes them: `300ms`, `1.5s`, `2h45m`.

use std::time::Duration;

/// `None` if the text is no duration, or a negative one.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut sum) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = number.parse::<f64>().ok()? * seconds;
        sum = sum.checked_add(Duration::try_from_secs_f64(part).ok()?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want_ms: Option<u64>) {
        assert_eq!(parse(text), want_ms.map(Duration::from_millis), "{text}");
    }

    #[test]
    fn numbers_with_units_add_up() {
        check("300ms", Some(300));
        check("1.5s", Some(1_500));
        check("2m", Some(120_000));
        check("1h1m1s", Some(3_661_000));
        check("0", Some(0));
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "-1s",
            "1..5s",
            "5x",
            "99999999999999999999h",
        ] {
            check(text, None);
        }
    }
}
