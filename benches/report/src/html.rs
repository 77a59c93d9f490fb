//! `report.html`: the page for people.
//!
//! One file without scripts and without requests, which its own content policy forbids: it can be attached, mailed and
//! printed. Everything that comes from a report is data and escaped. Each plot is drawn twice, for wide pages and for
//! phones, and the style shows one of them; beneath stand the same numbers as a table.

use std::io;

use crate::rows::{Table, Unit};
use crate::{Line, QUICK, Report, facts, plot};

const STYLE: &str = include_str!("page.css");

const LEGEND: &str = "<ul class=\"legend\">\
<li><i class=\"key dot\"></i>one sample</li>\
<li><i class=\"key bar\"></i>p10 to p90</li>\
<li><i class=\"key median\"></i>median</li>\
<li><i class=\"key interval\"></i>95 % interval of the median</li></ul>\n";

const METHOD: &str = "<ul>\
<li>A dot is one sample. Each process has its own lane within a row, the first on top: where lanes do not lie above \
each other, processes differ. Rows with many samples are thinned; <code>report.json</code> has all.</li>\
<li>Beneath the dots a bar goes from p10 to p90. The upright line is the median, whose value stands at the right.</li>\
<li>The part of the bar in a second colour is the median's 95 % interval, from a bootstrap in two stages: processes \
are drawn, then samples within each.</li>\
<li><strong>Interval wide</strong> means wider than a fifth of the median: do not rely on that row.</li>\
<li>An axis is logarithmic where values differ by more than a factor of 20, and says so. Rows that were not measured \
stand in the table with the reason.</li></ul>\n";

pub(crate) fn render(report: &Report, lines: &[Line<'_>]) -> io::Result<String> {
    let of_table = |table| lines.iter().filter(|line| line.row.table == table).collect::<Vec<_>>();
    let (present, absent): (Vec<Table>, Vec<Table>) =
        Table::ALL.into_iter().partition(|table| !of_table(*table).is_empty());

    let mut page = head(report);
    page.push_str(&header(report, lines, &present, &absent));
    page.push_str("<main>\n");
    for table in present {
        page.push_str(&section(table, &of_table(table))?);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    Ok(page)
}

/// `text` as HTML that shows it, for between tags and within quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}

fn head(report: &Report) -> String {
    let colours: String = plot::COLOURS
        .iter()
        .map(|(marker, name)| {
            let marker = format!("#{:02X}{:02X}{:02X}", marker.0, marker.1, marker.2);
            format!("svg [fill=\"{marker}\"]{{fill:var(--{name})}}svg [stroke=\"{marker}\"]{{stroke:var(--{name})}}\n")
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>Rolebox benchmarks, {}</title>\n<style>\n{STYLE}{colours}</style>\n</head>\n<body>\n",
        escaped(&report.machine.date),
    )
}

fn header(report: &Report, lines: &[Line<'_>], present: &[Table], absent: &[Table]) -> String {
    let measured = lines.iter().filter(|line| line.summary.is_some()).count();
    let mut text = String::from("<header>\n<h1>Rolebox benchmarks</h1>\n");
    text.push_str("<p class=\"lead\">What it costs to run a task as a WebAssembly component under its own role.</p>\n");
    if report.quick {
        text.push_str(&format!("<p class=\"banner\" role=\"note\"><strong>{QUICK}</strong></p>\n"));
    }
    text.push_str("<dl>\n");
    for (name, value) in facts(report) {
        text.push_str(&format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escaped(&value)));
    }
    text.push_str(&format!("<div><dt>Rows</dt><dd>{measured} measured, {} not</dd></div>\n", lines.len() - measured));
    text.push_str("</dl>\n<h2>How to read it</h2>\n");
    text.push_str(LEGEND);
    text.push_str(METHOD);
    text.push_str("<nav aria-label=\"Tables\"><ul>\n");
    for table in present {
        text.push_str(&format!("<li><a href=\"#{table}\">{table}. {}</a></li>\n", table.title()));
    }
    text.push_str("</ul></nav>\n");
    if !absent.is_empty() {
        let absent: Vec<String> = absent.iter().map(|table| format!("{table} ({})", table.title())).collect();
        text.push_str(&format!("<p>Not in this run: {}.</p>\n", absent.join(", ")));
    }
    text.push_str("</header>\n");
    text
}

fn section(table: Table, lines: &[&Line<'_>]) -> io::Result<String> {
    let mut units: Vec<Unit> = Vec::new();
    for line in lines {
        if !units.contains(&line.row.unit) {
            units.push(line.row.unit);
        }
    }
    let mut text = format!(
        "<section id=\"{table}\" aria-labelledby=\"{table}-title\">\n<h2 id=\"{table}-title\">{table}. {}</h2>\n\
         <p>{}</p>\n",
        table.title(),
        table.about(),
    );
    for unit in &units {
        let of_unit: Vec<_> = lines.iter().copied().filter(|line| line.row.unit == *unit).collect();
        if units.len() > 1 {
            text.push_str(&format!("<h3>{}</h3>\n", unit.quantity()));
        }
        text.push_str(&figure(table, *unit, &of_unit)?);
        text.push_str(&numbers(table, *unit, &of_unit));
    }
    let notes: String = lines
        .iter()
        .filter_map(|line| Some((&line.row.name, line.row.note.as_ref()?)))
        .map(|(name, note)| format!("<li><b>{}</b>: {}</li>\n", escaped(name), escaped(note)))
        .collect();
    if !notes.is_empty() {
        let heading = if units.len() > 1 { "<h3>Notes</h3>\n" } else { "<p class=\"notes\">Notes</p>\n" };
        text.push_str(&format!("{heading}<ul class=\"notes\">\n{notes}</ul>\n"));
    }
    text.push_str("</section>\n");
    Ok(text)
}

fn figure(table: Table, unit: Unit, lines: &[&Line<'_>]) -> io::Result<String> {
    let rows = lines.iter().filter(|line| line.summary.is_some()).count();
    let description = format!(
        "{}, {}: the distribution of samples of {rows} {}. The table that follows has the same numbers.",
        table.title(),
        unit.quantity().to_lowercase(),
        if rows == 1 { "row" } else { "rows" },
    );
    let wide = plot::draw(lines, unit, &plot::WIDE, &description)?;
    let narrow = plot::draw(lines, unit, &plot::NARROW, &description)?;
    let (Some(wide), Some(narrow)) = (wide, narrow) else { return Ok(String::new()) };
    Ok(format!("<figure>\n{wide}{narrow}</figure>\n"))
}

fn numbers(table: Table, unit: Unit, lines: &[&Line<'_>]) -> String {
    let caption = format!("{}: {}", table.title(), unit.quantity().to_lowercase());
    let rows: String = lines.iter().map(|line| table_row(line)).collect();
    format!(
        "<details open><summary>Numbers</summary>\n\
         <div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}, table\">\n\
         <table>\n<caption>{caption}</caption>\n<thead><tr><th scope=\"col\">Row</th><th scope=\"col\">Median</th>\
         <th scope=\"col\">p10 to p90</th><th scope=\"col\">p99</th><th scope=\"col\">95 % interval</th>\
         <th scope=\"col\">Samples × processes</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n\
         </details>\n"
    )
}

fn table_row(line: &Line<'_>) -> String {
    let name = escaped(&line.row.name);
    let words = |value| line.row.unit.in_words(value);
    let Some(summary) = line.summary else {
        return format!(
            "<tr class=\"missing\"><th scope=\"row\">{name}</th><td colspan=\"5\">{}</td></tr>\n",
            escaped(&line.missing()),
        );
    };
    let [low, high] = summary.ci95;
    let wide = if summary.is_wide() { " <strong class=\"warning\">interval wide</strong>" } else { "" };
    format!(
        "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{} to {}</td><td>{}</td><td>{} to {}{wide}</td>\
         <td>{}</td></tr>\n",
        words(summary.median),
        words(summary.p10),
        words(summary.p90),
        words(summary.p99),
        words(low),
        words(high),
        line.count(),
    )
}
