//! Answers over `wasi:http`.

use std::io::Write as _;

use wasip2::http::types::{Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};

/// An HTML page with its status.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    page: String,
}

impl Answer {
    pub(crate) fn new(status: u16, page: String) -> Self {
        // The page is nothing but text, and counts anew each time.
        let headers = vec![
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", "default-src 'none'"),
            ("cache-control", "no-store"),
        ];
        Self { status, headers, page }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends the answer. A visitor who has gone away meanwhile is no failure.
    pub(crate) fn send(self, outparam: ResponseOutparam) {
        let fields = Fields::new();
        for (name, value) in self.headers {
            fields.append(name, value.as_bytes()).expect("the names and values above are well formed");
        }
        if !self.page.is_empty() {
            // So that a client of HTTP/1.0, as some proxies are, knows when it has all.
            let length = self.page.len().to_string();
            fields.append("content-length", length.as_bytes()).expect("a number is well formed");
        }
        let response = OutgoingResponse::new(fields);
        response.set_status_code(self.status).expect("the statuses above exist");
        let body = response.body().expect("it is asked for once");
        ResponseOutparam::set(outparam, Ok(response));
        if let Ok(mut stream) = body.write() {
            let _ = stream.write_all(self.page.as_bytes());
        }
        let _ = OutgoingBody::finish(body, None);
    }
}
