//! What the demonstration prints, in colour on a terminal.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use rolebox::StoppedTask;
use rolebox::definition::TaskDefinition;
use rolebox::egress::audit::{AuditRecord, AuditSink, Event, Recorded};
use rolebox::output::CapturedOutput;
use rolebox_local_aws::LocalAws;

/// The audit records of the calls so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<AuditRecord>>>);

impl Calls {
    pub(crate) fn take(&self) -> Vec<AuditRecord> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AuditSink for Calls {
    fn record(&self, record: AuditRecord) -> Recorded {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The standard output, with or without colour.
pub(crate) struct Show {
    colour: bool,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

impl Show {
    /// In colour if standard output is a terminal and NO_COLOR is not set (<https://no-color.org>).
    pub(crate) fn new() -> Self {
        Self { colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn title(&self, text: &str) {
        println!("\n{}\n", self.paint(BOLD, text));
    }

    pub(crate) fn step(&self, number: u32, text: &str) {
        println!("\n{}", self.paint(BOLD, &format!("{number}. {text}")));
    }

    pub(crate) fn heading(&self, text: &str) {
        println!("\n   {}", self.paint(CYAN, text));
    }

    pub(crate) fn remark(&self, text: &str) {
        println!("\n   {text}");
    }

    pub(crate) fn fact(&self, name: &str, value: &str) {
        println!("   {} {value}", self.paint(DIM, &format!("{name:<18}")));
    }

    pub(crate) fn definition(&self, definition: &TaskDefinition) {
        let Some(role) = definition.task_role() else { return };
        self.fact("task role", role.arn().as_str());
        for capability in role.declared_capabilities() {
            let (actions, resources) = (capability.action.as_slice(), capability.resource.as_slice());
            self.fact("capability", &format!("{} on {}", actions.join(", "), resources.join(", ")));
        }
    }

    /// The last role session that the embedded AWS handed out.
    pub(crate) fn assumed(&self, aws: &LocalAws) {
        let assumed = aws.requests().into_iter().rfind(|request| request.operation.as_deref() == Some("AssumeRole"));
        let sessions = aws.issued_sessions();
        let session = assumed.and_then(|_| sessions.into_iter().next_back());
        if let Some(session) = session {
            self.fact("role assumed", &format!("{} as session {}", session.role_arn, session.session_name));
        }
    }

    /// A line for each call: its decision with its end.
    pub(crate) fn calls(&self, records: &[AuditRecord]) {
        self.heading("Calls");
        for decision in records.iter().filter(|record| record.event == Event::Decision) {
            let end = records.iter().find(|record| record.event == Event::End && record.call_id == decision.call_id);
            let end = end.and_then(|record| record.end.as_ref());
            let (verdict, style) = if decision.decision == "allow" { ("allowed", GREEN) } else { ("DENIED", RED) };
            let outcome = match end {
                Some(end) => {
                    let status = end.status.map_or_else(|| end.outcome.to_owned(), |status| status.to_string());
                    format!("{status} in {:.1} ms", end.duration_ms)
                }
                None => "not signed, not sent".to_owned(),
            };
            for check in &decision.checks {
                let verdict = self.paint(style, &format!("{verdict:<7}"));
                println!("   {verdict} {:<17} {}", check.action, check.resource);
            }
            println!("           {}", self.paint(DIM, &outcome));
        }
    }

    pub(crate) fn output(&self, output: &CapturedOutput) {
        for (name, bytes) in [("stdout", output.stdout()), ("stderr", output.stderr())] {
            for line in String::from_utf8_lossy(&bytes).lines() {
                println!("   {} {line}", self.paint(DIM, &format!("guest {name} |")));
            }
        }
    }

    pub(crate) fn stopped(&self, stopped: &StoppedTask) {
        let code = stopped.exit_code();
        let text = format!("{}: {} (exit code {code})", stopped.stop_code, stopped.stopped_reason);
        self.fact("task stopped", &self.paint(if code == 0 { GREEN } else { RED }, &text));
    }

    pub(crate) fn object(&self, bucket: &str, key: &str, content: &str) {
        self.fact("bucket", bucket);
        self.fact("object", key);
        self.fact("content", content);
    }

    pub(crate) fn scan(&self, memories: usize, bytes: usize, sessions: usize) {
        let searched = format!("{memories} memories, {} KiB, for the keys of {sessions} role sessions", bytes / 1024);
        self.fact("searched", &searched);
        let nothing = "no secret access key, no session token, no access key id";
        self.fact("found", &self.paint(GREEN, nothing));
    }
}
