//! The cases as data: what a hostile guest asks for, and what comes of it.
//!
//! A request is `METHOD SERVICE[@REGION] TARGET`, which goes through both doors, or `METHOD URL`, which only `wasi:http`
//! takes. An outcome is, in these words:
//!
//! - `malformed`, `not understood`, `too large`: refused, with no byte sent;
//! - `denied: ACTION on ARN, …`: understood, and refused for what the capabilities lack, with no byte sent;
//! - `unformed PART`: `wasi:http` itself has no such request; `error CODE`: its error, with no byte sent;
//! - `sent METHOD TARGET [OWN FIELDS] BODY`: exactly that was signed and sent, and nothing is left of the attack.
//!
//! Two outcomes, `A || B`, are those of the typed door and of `wasi:http`. The guests resolve `\n`, `\xNN` and the like.

mod bodies;
mod headers;
mod hosts;
mod paths;
mod services;

pub(super) enum Body {
    Text(String),
    /// So many `x`.
    Size(usize),
}

/// Through which doors a case goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Doors {
    Both,
    Typed,
    Http,
}

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) doors: Doors,
    pub(super) request: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) trailers: Vec<(String, String)>,
    pub(super) body: Body,
    pub(super) outcome: String,
    /// Under capabilities on one bucket, table and so on, in place of those on everything.
    pub(super) narrow: bool,
}

/// A case under capabilities on everything.
fn case(name: &'static str, request: impl Into<String>, outcome: impl Into<String>) -> Case {
    let request = request.into();
    let doors = if request.contains("://") { Doors::Http } else { Doors::Both };
    Case {
        name,
        doors,
        request,
        headers: Vec::new(),
        trailers: Vec::new(),
        body: Body::Text(String::new()),
        outcome: outcome.into(),
        narrow: false,
    }
}

impl Case {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.into(), value.into()));
        self.doors = Doors::Http;
        self
    }

    fn body(mut self, text: impl Into<String>) -> Self {
        self.body = Body::Text(text.into());
        self
    }

    fn body_of(mut self, size: usize) -> Self {
        self.body = Body::Size(size);
        self
    }

    /// Under the narrow capabilities: `in/*` of `bucket` and so on.
    fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }

    fn typed_only(mut self) -> Self {
        self.doors = Doors::Typed;
        self
    }
}

/// All cases.
pub(super) fn all() -> Vec<Case> {
    [paths::cases(), hosts::cases(), headers::cases(), bodies::cases(), services::cases()]
        .into_iter()
        .flatten()
        .collect()
}
