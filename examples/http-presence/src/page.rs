//! The pages. What comes from elsewhere is escaped.

use crate::time::utc;
use crate::visits::Visits;

/// The page with the count, as `authority`, the host that the visitor asked, serves it.
pub(crate) fn visits(visits: &Visits, authority: &str) -> String {
    let count = visits.count;
    let visitors = if count == 1 { "1 visit".to_owned() } else { format!("{count} visits") };
    document(&format!("<h1>{visitors}</h1>\n<p>to {} since {}</p>\n", escaped(authority), escaped(&utc(visits.since)),))
}

/// A page that says why there is no other.
pub(crate) fn message(what: &str, detail: &str) -> String {
    let detail = if detail.is_empty() { String::new() } else { format!("<p>{}</p>\n", escaped(detail)) };
    document(&format!("<h1>{}</h1>\n{detail}", escaped(what)))
}

fn document(body: &str) -> String {
    format!("<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Presence</title>\n{body}</html>\n")
}

/// `text` as HTML that shows it, in an element or an attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_how_many_and_since_when() {
        let page = visits(&Visits { count: 2, since: 0 }, "localhost:8080");
        assert!(page.contains("<h1>2 visits</h1>\n<p>to localhost:8080 since 1970-01-01 00:00 UTC</p>"), "{page}");
        assert!(visits(&Visits { count: 1, since: 0 }, "").contains("<h1>1 visit</h1>"));
    }

    #[test]
    fn what_a_visitor_sends_is_shown_and_not_run() {
        let page = visits(&Visits { count: 1, since: 0 }, "<script>'&\"");
        assert!(page.contains("to &lt;script&gt;&#39;&amp;&quot; since"), "{page}");
        assert!(message("a < b", "").contains("<h1>a &lt; b</h1>"));
    }
}
