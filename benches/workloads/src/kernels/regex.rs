//! Two regular expressions over a log: one takes lines apart, one finds addresses anywhere. Table look-ups for each
//! byte.
//!
//! Natively the crate also looks for bytes with AVX2 if the processor has it.

use std::hint::black_box;

use regex::bytes::Regex;

use super::Run;
use crate::generate::log;

const SIZE: usize = 512 << 10;

pub(super) fn prepare() -> Run {
    let text = log(SIZE, 5);
    let (failures, users) = (failures(), users());
    Box::new(move || {
        let text = black_box(text.as_bytes());
        let (mut count, mut bytes) = (0, 0);
        for found in failures.captures_iter(text) {
            count += 1;
            bytes += found.iter().flatten().map(|group| group.len()).sum::<usize>();
        }
        for found in users.find_iter(text) {
            count += 1;
            bytes += found.len();
        }
        (count << 32) + bytes as u64
    })
}

/// Requests that failed, taken apart.
fn failures() -> Regex {
    let line = r"(?m-u)^([0-9T:.-]+Z) (WARN|ERROR) (\d+(?:\.\d+){3}) (GET|PUT|POST) (/[\w/]+) ([45]\d\d) (\d+)us";
    Regex::new(line).expect("a pattern")
}

/// Two of the users.
fn users() -> Regex {
    Regex::new(r"(?-u)\b(?:anna|fatima)@[\w.]+\.(?:com|org)\b").expect("a pattern")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_patterns_find_what_they_are_for() {
        let text = "2026-03-14T09:26:53.589Z ERROR 10.1.3.17 GET /api/v2/orders/4711 503 1234us user=anna@example.com\n\
                    2026-03-14T09:26:54.001Z INFO 10.1.3.18 GET /api/v2/orders/4712 503 99us user=boris@example.com\n";
        let found: Vec<_> = failures().captures_iter(text.as_bytes()).map(|found| found[6].to_vec()).collect();
        assert_eq!(found, [b"503"]);
        let found: Vec<_> = users().find_iter(text.as_bytes()).map(|found| found.as_bytes()).collect();
        assert_eq!(found, [b"anna@example.com"]);
    }
}
