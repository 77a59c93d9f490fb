//! `report.md`: the summary, to be read as it is or pasted into a README.
//!
//! Headings begin at the second level, for a page that has its own title. Names, reasons and notes are data: what
//! Markdown would take for markup is escaped.

use crate::rows::Table;
use crate::{Line, QUICK, Report, facts};

pub(crate) fn render(report: &Report, lines: &[Line<'_>]) -> String {
    let mut text = String::from("## Benchmarks\n\n");
    if report.quick {
        text.push_str(&format!("> **{QUICK}**\n\n"));
    }
    for (name, value) in facts(report) {
        text.push_str(&format!("- {name}: {}\n", escaped(&value)));
    }
    text.push_str(
        "\nSamples × processes says how many samples each process gave. The interval is the median's, from a bootstrap \
         that draws processes and then samples within each. \"Interval wide\" means more than a fifth of the median: \
         do not rely on that row.\n",
    );
    for table in Table::ALL {
        let of_table: Vec<_> = lines.iter().filter(|line| line.row.table == table).collect();
        if of_table.is_empty() {
            continue;
        }
        text.push_str(&format!("\n### {table}. {}\n\n{}\n\n", table.title(), table.about()));
        text.push_str("| | Median | p10 to p90 | p99 | 95 % interval | Samples × processes |\n");
        text.push_str("|---|---:|---:|---:|---:|---:|\n");
        of_table.iter().for_each(|line| text.push_str(&table_line(line)));
        let mut notes = of_table.iter().filter_map(|line| Some((line, line.row.note.as_ref()?))).peekable();
        if notes.peek().is_some() {
            text.push_str("\nNotes:\n\n");
        }
        for (line, note) in notes {
            text.push_str(&format!("- {}: {}\n", escaped(&line.row.name), escaped(note)));
        }
    }
    text
}

fn table_line(line: &Line<'_>) -> String {
    let name = escaped(&line.row.name);
    let words = |value| line.row.unit.in_words(value);
    let Some(summary) = line.summary else {
        return format!("| {name} | {} | | | | |\n", escaped(&line.missing()));
    };
    let [low, high] = summary.ci95;
    format!(
        "| {name} | {} | {} to {} | {} | {} to {}{} | {} |\n",
        words(summary.median),
        words(summary.p10),
        words(summary.p90),
        words(summary.p99),
        words(low),
        words(high),
        if summary.is_wide() { " (**interval wide**)" } else { "" },
        line.count(),
    )
}

/// `text` on one line, with nothing in it that Markdown takes for markup. An underscore within a word is none.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '_' if before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric()) => {
                escaped.push('_');
            }
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' => escaped.extend(['\\', char]),
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
        before = char;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let cases = [
            ("a|b", r"a\|b"),
            ("max_map_count", "max_map_count"),
            ("_a_ *b*", r"\_a\_ \*b\*"),
            ("<b>&lt;", "&lt;b>&amp;lt;"),
            ("two\nlines", "two lines"),
            (r"a\|b", r"a\\\|b"),
        ];
        for (given, expected) in cases {
            assert_eq!(escaped(given), expected);
        }
    }
}
