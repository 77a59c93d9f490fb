//! The explanation for people.

use rolebox::definition::show_bytes;
use rolebox::settings::BoundCheck;
use rolebox_policy::{OneOrMany, RawCapability, SESSION_POLICY_LIMIT};

use super::{Container, Explanation, Limits, Role};
use crate::console::{Paint, printable};

/// Lines with headings. What comes from files is made printable.
pub(super) struct Page {
    pub(super) text: String,
    paint: Paint,
}

impl Page {
    /// An empty page.
    pub(super) fn new(paint: Paint) -> Self {
        Self { text: String::new(), paint }
    }

    /// A heading, after an empty line but for the first.
    pub(super) fn heading(&mut self, title: &str, rest: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let title = self.paint.bold(title);
        let separator = if rest.is_empty() { "" } else { " " };
        self.text.push_str(&format!("{title}{separator}{}\n", printable(rest)));
    }

    /// A line below a heading.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(&format!("  {}\n", printable(line)));
    }

    /// A line with a name in front, in a column of its own.
    pub(super) fn entry(&mut self, name: &str, value: &str) {
        const COLUMN: usize = 16;
        let name = self.paint.dim(&format!("{name:<COLUMN$}"));
        self.text.push_str(&format!("  {name}{}\n", printable(value)));
    }

    /// The same for each of several; nothing for none.
    pub(super) fn entries<'a>(&mut self, name: &str, values: impl IntoIterator<Item = impl AsRef<str> + 'a>) {
        for (index, value) in values.into_iter().enumerate() {
            self.entry(if index == 0 { name } else { "" }, value.as_ref());
        }
    }
}

impl Explanation<'_> {
    /// The explanation as text, in colours if `paint` has some.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        page.heading("Task definition", &format!("{} ({})", self.family, self.file));
        match &self.task_role {
            Some(role) => describe_role(role, &mut page),
            None => page.heading("Task role", "none: the task makes no AWS call"),
        }
        if let Some(arn) = self.execution_role_arn {
            page.heading("Execution role", arn);
        }
        if self.egress.is_empty() {
            page.heading("Hosts", "none beside AWS");
        } else {
            page.heading("Hosts", "");
            self.egress.iter().for_each(|host| page.line(host));
        }
        describe_limits(&self.limits, &mut page);
        describe_bounds(&self.bounds, &mut page);
        for container in &self.containers {
            describe_container(container, &mut page);
        }
        if !self.volumes.is_empty() {
            page.heading("Volumes", "");
            for volume in &self.volumes {
                page.entry(volume.name, &volume.source_path);
            }
        }
        if !self.ignored_keys.is_empty() {
            page.heading("Keys without effect", "");
            for key in &self.ignored_keys {
                page.line(&format!("{}: {}", key.path, key.why));
            }
        }
        self.describe_mismatches(&mut page);
        page.text
    }

    fn describe_mismatches(&self, page: &mut Page) {
        if self.mismatches.is_empty() {
            page.heading("Mismatches", "none");
            return;
        }
        page.heading("Mismatches", "");
        for mismatch in &self.mismatches {
            let separator = if mismatch.path.is_empty() { "" } else { ": " };
            let line = printable(&format!("{}{separator}{}", mismatch.path, mismatch.what));
            let line = page.paint.yellow(&line.replace('\n', "\n    "));
            page.text.push_str(&format!("  {line}\n"));
        }
        if self.exit_code != 0 {
            page.line(&format!("The task would not start: rolebox run would exit with {}.", self.exit_code));
        }
    }
}

fn describe_role(role: &Role<'_>, page: &mut Page) {
    page.heading("Task role", role.arn);
    let sharing = match role.role_session {
        "per-definition" => "one for all tasks of this definition",
        _ => "one for each task",
    };
    page.entry("role session", &format!("{sharing}, renewed every {}", role.session_duration));
    if let Some(external_id) = role.external_id {
        page.entry("external id", external_id);
    }
    if let Some(source_identity) = role.source_identity {
        page.entry("source identity", source_identity);
    }
    if role.session_tags {
        page.entry("session tags", "cluster, family and task");
    }
    if role.unsigned_payload {
        page.entry("long bodies", "unsigned, over TLS alone");
    }
    let policy = &role.session_policy;
    match (policy.length, policy.text) {
        (Some(length), Some(text)) => {
            page.entry("session policy", &format!("required, {length} of at most {SESSION_POLICY_LIMIT} characters"));
            for line in indented(text).lines() {
                page.line(&format!("  {line}"));
            }
        }
        _ => page.entry("session policy", "off: only the host holds the task to its capabilities"),
    }
    if role.capabilities.is_empty() {
        page.heading("Capabilities", "none: every AWS call is denied");
        return;
    }
    page.heading("Capabilities", "");
    for capability in role.capabilities {
        describe_capability(capability, page);
    }
}

/// `json`, which has no blanks between its parts, on lines of its own. The order of its keys stays.
fn indented(json: &str) -> String {
    let mut text = String::new();
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    };
    for letter in json.chars() {
        let is_syntax = !in_string;
        if in_string {
            in_string = escaped || letter != '"';
            escaped = letter == '\\' && !escaped;
        } else {
            in_string = letter == '"';
        }
        match letter {
            '{' | '[' if is_syntax => {
                depth += 1;
                text.push(letter);
                new_line(&mut text, depth);
            }
            '}' | ']' if is_syntax => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(letter);
            }
            ',' if is_syntax => {
                text.push(letter);
                new_line(&mut text, depth);
            }
            ':' if is_syntax => text.push_str(": "),
            _ => text.push(letter),
        }
    }
    text
}

fn describe_capability(capability: &RawCapability, page: &mut Page) {
    page.line(&listed(&capability.action).join(", "));
    let mut line = |name: &str, value: &str| page.line(&format!("  {name} {value}"));
    listed(&capability.resource).into_iter().for_each(|arn| line("on", arn));
    for (name, value) in [
        ("account", &capability.account),
        ("prefix", &capability.prefix),
        ("via", &capability.via),
        ("region", &capability.region),
    ] {
        if let Some(value) = value {
            line(name, &listed(value).join(", "));
        }
    }
    for (attribute, values) in capability.leading_keys.iter().flatten() {
        line("leading key", &format!("{attribute} = {}", listed(values).join(", ")));
    }
}

fn listed(values: &OneOrMany) -> Vec<&str> {
    match values {
        OneOrMany::One(value) => vec![value],
        OneOrMany::Many(values) => values.iter().map(String::as_str).collect(),
    }
}

fn describe_limits(limits: &Limits, page: &mut Page) {
    page.heading("Limits", "");
    let mut entry = |name: &str, key: &str, value: String| {
        let default = if limits.defaults.contains(&key) { " (default)" } else { "" };
        page.entry(name, &format!("{value}{default}"));
    };
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "no limit".to_owned());
    entry("timeout", "timeout", limits.timeout.clone());
    entry("cpu time", "cpuTime", or_none(limits.cpu_time.clone()));
    entry("cpu", "cpuLimit", limits.cpu_limit.map_or_else(|| "one core".to_owned(), |cpu| format!("{cpu} of 1024")));
    entry("output", "outputBytes", show_bytes(limits.output_bytes));
    entry("a call's body", "bodyBytes", show_bytes(limits.body_bytes));
    entry("a call's time", "callTimeout", limits.call_timeout.clone());
    entry("calls at once", "callsInFlight", limits.calls_in_flight.to_string());
    entry("calls a second", "callsPerSecond", limits.calls_per_second.to_string());
    entry("bodies in all", "totalBytes", or_none(limits.total_bytes.map(show_bytes)));
    entry("open files", "openFiles", limits.open_files.to_string());
    entry("connections", "connections", limits.connections.to_string());
    entry("requests", "requestsInFlight", format!("{} at once", limits.requests_in_flight));
}

/// A table: what is asked for, what is allowed, and whether the one is within the other.
fn describe_bounds(bounds: &[BoundCheck], page: &mut Page) {
    page.heading("Bounds", "");
    let rows: Vec<_> = bounds
        .iter()
        .map(|check| {
            let default = if check.default { " (default)" } else { "" };
            let asks = format!("{}{default}", check.asks);
            [check.what.as_str(), &asks, &check.bound].map(printable)
        })
        .collect();
    let head = ["", "asks", "bound"].map(str::to_owned);
    let mut widths = [0; 3];
    for row in rows.iter().chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 3], verdict: &str| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  "));
        format!("  {}{verdict}", cells.collect::<String>())
    };
    let title = page.paint.dim(line(&head, "verdict").trim_end());
    page.text.push_str(&format!("{title}\n"));
    for (row, check) in rows.iter().zip(bounds) {
        let line = match check.allowed {
            true => line(row, "within"),
            false => page.paint.yellow(&line(row, "exceeded")),
        };
        page.text.push_str(&format!("{line}\n"));
    }
}

fn describe_container(container: &Container<'_>, page: &mut Page) {
    page.heading("Container", container.name);
    page.entry("image", &container.image);
    page.entry("memory", &format!("{} MiB at most", container.memory));
    page.entry("cpu", &format!("share {} (1024 stand for one core)", container.cpu));
    if !container.essential {
        page.entry("essential", "no");
    }
    page.entries(
        "serves on",
        container.port_mappings.iter().map(|mapping| match mapping.host_port {
            0 => "a free port of the host".to_owned(),
            port => format!("port {port} of the host"),
        }),
    );
    page.entry("arguments", &container.arguments.join(" "));
    let environment = container.environment.iter();
    page.entries("environment", environment.map(|variable| format!("{}={}", variable.name, variable.value)));
    page.entries(
        "volumes",
        container.mount_points.iter().map(|mount| {
            let how = if mount.read_only { "read only" } else { "read and write" };
            format!("{} at {}, {how}", mount.source_volume, mount.container_path)
        }),
    );
    let dependencies = container.depends_on.iter();
    page.entries(
        "depends on",
        dependencies.map(|dependency| format!("{}: {}", dependency.container_name, dependency.condition)),
    );
    match &container.imports {
        None => page.entry("imports", "not known: the image was not loaded"),
        Some(imports) if imports.is_empty() => page.entry("imports", "nothing"),
        Some(imports) => page.entries("imports", imports),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn json_keeps_its_order_and_its_strings() {
        let json = r#"{"b":["x,y:{}","q\"[",true],"a":{"k\\":1}}"#;
        expect![[r#"
            {
              "b": [
                "x,y:{}",
                "q\"[",
                true
              ],
              "a": {
                "k\\": 1
              }
            }"#]]
        .assert_eq(&indented(json));
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(read(&indented(json)), read(json));
    }
}
