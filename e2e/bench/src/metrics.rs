//! Our node's own account of its time: the sums of its histograms at `/metrics`.

use std::collections::BTreeMap;

/// Sums and counters by name; what has labels is added up.
#[derive(Debug, Default, Clone)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Reads Prometheus' text form; lines that are not `name value` are left out.
    pub fn parse(text: &str) -> Self {
        let mut all = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = line.rsplit_once(' ') else {
                continue;
            };
            let quantile = name.contains("quantile=");
            let name = name.split('{').next().unwrap_or_default();
            if let (false, Ok(value)) = (quantile, value.parse::<f64>()) {
                *all.entry(name.to_owned()).or_insert(0.0) += value;
            }
        }
        Self(all)
    }

    /// What was added since `before`.
    pub fn since(&self, before: &Self) -> Self {
        let added = |(name, value): (&String, &f64)| {
            let before = before.0.get(name).copied().unwrap_or(0.0);
            (name.clone(), value - before)
        };
        Self(self.0.iter().map(added).collect())
    }

    /// One value.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Time spent in each stage, seconds, by the histogram's name without its ending.
    pub fn stages(&self) -> BTreeMap<String, f64> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.strip_suffix("_seconds_sum")?, *value)))
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_stages_and_quantiles_are_not() {
        let text = "# TYPE a summary\na_seconds{quantile=\"0.5\"} 9\na_seconds_sum 2.5\na_seconds_count 3\nn{x=\"1\"} 1\nn{x=\"2\"} 2\n";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.get("n"), Some(3.0));
        assert_eq!(metrics.stages(), [("a".to_owned(), 2.5)].into());
    }
}
