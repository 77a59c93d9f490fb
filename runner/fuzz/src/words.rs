//! A libFuzzer dictionary as a list of texts, for inputs that are built and not mutated as text.

/// The entries of a dictionary: lines of `"text"` with the escapes `\\`, `\"` and `\xNN`; `#` begins a comment.
pub fn of_dictionary(dictionary: &str) -> Vec<Vec<u8>> {
    let lines = dictionary.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| unescape(line.trim_matches('"').as_bytes())).collect()
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let hex = |text: &[u8]| u8::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok();
        match (first, after) {
            (b'\\', [b'x', high, low, tail @ ..]) => {
                bytes.extend(hex(&[*high, *low]));
                rest = tail;
            }
            (b'\\', [escaped, tail @ ..]) => {
                bytes.push(*escaped);
                rest = tail;
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}
