//! Makes text that came out of an image fit to be shown and logged.
//!
//! wasmtime's messages name imports, exports and functions as the image's author wrote them: with a hundred thousand
//! letters, with line ends that forge a line of a log, or with what clears a terminal.

/// The most of a message that is kept, in bytes: more than any that has only reasonable names in it.
const LONGEST: usize = 2_048;

/// `text` on one line, with what controls a terminal or turns the direction of writing escaped, and the rest of a text
/// that is too long left out.
pub(crate) fn showable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(LONGEST));
    for character in text.chars() {
        if shown.len() >= LONGEST {
            shown.push_str(" …");
            break;
        }
        match character {
            // Indentation that follows a line end goes with it.
            '\n' | ' ' if shown.ends_with(' ') => {}
            '\n' => shown.push(' '),
            _ if character.is_control() || is_format(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    shown
}

/// Characters without a glyph that change how their neighbours are shown.
/// <https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>
fn is_format(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_shown_stays_as_it_is() {
        for text in ["", "unknown import: `env::secrets` has not been defined", "ü漢字 \"'`\\"] {
            assert_eq!(showable(text), text);
        }
    }

    #[test]
    fn nothing_forges_a_line_clears_a_terminal_or_turns_the_text() {
        assert_eq!(showable("a\nb\n    c"), "a b c");
        assert_eq!(showable("\u{1b}[2J\r\u{7}\0"), "\\u{1b}[2J\\u{d}\\u{7}\\u{0}");
        assert_eq!(showable("\u{202e}txt.exe\u{85}"), "\\u{202e}txt.exe\\u{85}");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let shown = showable(&"ü".repeat(100_000));
        assert!(shown.ends_with("ü …") && shown.len() < LONGEST + 16, "{}", shown.len());
        assert!(showable(&"\u{1b}".repeat(100_000)).len() < LONGEST + 16);
    }
}
