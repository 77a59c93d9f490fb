//! A page that counts its visits in DynamoDB, under the task's role and without a key.

mod answer;
mod page;
mod time;
mod visits;

use std::time::SystemTime;

use rolebox_guest::{Call, Error, Response, Transport};
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, Method, ResponseOutparam};

use crate::answer::Answer;
use crate::visits::Table;

wasip2::http::proxy::export!(Presence);

struct Presence;

/// Calls are the host's to sign and to send.
struct Host;

impl Transport for Host {
    fn send(&self, call: Call) -> Result<Response, Error> {
        call.send()
    }
}

impl Guest for Presence {
    fn handle(request: IncomingRequest, answer: ResponseOutparam) {
        answered(&request).send(answer);
    }
}

/// The answer to a request. Only the page itself is a visit.
fn answered(request: &IncomingRequest) -> Answer {
    let target = request.path_with_query().unwrap_or_default();
    if target.split('?').next() != Some("/") {
        return Answer::new(404, page::message("There is nothing here.", "The page is at /."));
    }
    match request.method() {
        Method::Get => {}
        // What GET would answer, without the page, and no visit.
        Method::Head => return Answer::new(200, String::new()),
        _ => {
            return Answer::new(405, page::message("Only GET is answered here.", "")).with_header("allow", "GET, HEAD");
        }
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    match Table::from_environment(Host).visit(now) {
        Ok(visits) => Answer::new(200, page::visits(&visits, &request.authority().unwrap_or_default())),
        Err(error) => {
            // For whoever runs the task; the visitor learns the code.
            eprintln!("{error}");
            Answer::new(502, page::message("The visits cannot be counted.", error.code()))
        }
    }
}
