//! Tasks that serve, as the command runs them: it says where they listen, and a signal is how they end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Child;

use serde_json::{Value, json};

use super::{Sandbox, code, read_line, signal};

/// A handler that returns without an answer: what the host then says is enough to see that it was asked.
const HANDLER: &str = r#"(component
    (import "wasi:http/types@0.2.0" (instance $types
        (export "incoming-request" (type (sub resource)))
        (export "response-outparam" (type (sub resource)))))
    (alias export $types "incoming-request" (type $request))
    (alias export $types "response-outparam" (type $outparam))
    (core module $module (func (export "handle") (param i32 i32)))
    (core instance $core (instantiate $module))
    (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
        (canon lift (core func $core "handle")))
    (instance $handler (export "handle" (func $handle)))
    (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))"#;

fn handler(sandbox: &Sandbox) {
    sandbox.file("app.wasm", wat::parse_str(HANDLER).unwrap_or_else(|error| panic!("{error}")));
}

/// A definition whose container serves on this port.
fn definition(sandbox: &Sandbox, host_port: u16) -> String {
    handler(sandbox);
    let definition = sandbox.definition(|definition| {
        definition["containerDefinitions"][0]["portMappings"] = json!([{"containerPort": 80, "hostPort": host_port}]);
    });
    definition.display().to_string()
}

fn ask(address: &str) -> String {
    let mut answer = String::new();
    let mut stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    stream.write_all(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").expect("a request");
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn rest(child: &mut Child) -> String {
    let mut rest = String::new();
    child.stderr.as_mut().expect("piped").read_to_string(&mut rest).expect("UTF-8");
    rest
}

#[test]
fn a_task_that_serves_says_where_and_ends_well_at_a_signal() {
    let sandbox = Sandbox::new();
    let definition = definition(&sandbox, 0);
    for name in ["TERM", "INT"] {
        let mut child = sandbox.start(&["run", &definition]);
        let line = read_line(child.stderr.as_mut().expect("piped"));
        let address =
            line.trim_end().strip_prefix("rolebox: app listens on http://").unwrap_or_else(|| panic!("{line}"));
        let answer = ask(address);
        assert!(answer.starts_with("HTTP/1.1 500 ") && answer.ends_with("ended without an answer\n"), "{answer}");
        signal(&child, name);
        let rest = rest(&mut child);
        assert_eq!(rest, format!("rolebox: the task stopped (UserInitiated): the runner received SIG{name}\n"));
        assert_eq!(code(child.wait().expect("an end")), Some(0), "it had answered all");
    }
}

#[test]
fn programs_read_where_it_listens_and_what_became_of_the_requests() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.start(&["--output", "json", "run", &definition(&sandbox, 0)]);
    let line = read_line(child.stderr.as_mut().expect("piped"));
    let listening = serde_json::from_str::<Value>(&line).expect("JSON")["listening"].clone();
    let port = listening["hostPort"].as_u64().expect("a port");
    let expected = json!({
        "containerName": "app", "bindIP": "127.0.0.1", "containerPort": 80, "hostPort": port, "protocol": "tcp",
    });
    assert_eq!(listening, expected);
    ask(&format!("127.0.0.1:{port}"));
    signal(&child, "TERM");
    let report: Value = serde_json::from_str(&rest(&mut child)).expect("one line of JSON");
    assert_eq!((&report["exitCode"], &report["stopCode"]), (&json!(0), &json!("UserInitiated")));
    let container = &report["containers"][0];
    let counts = ["requestCount", "failedCount", "refusedCount"].map(|key| container[key].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(0)]);
    assert_eq!(code(child.wait().expect("an end")), Some(0));
}

#[test]
fn a_component_by_itself_is_served_on_the_port_of_the_flag() {
    let sandbox = Sandbox::new();
    handler(&sandbox);
    let mut child = sandbox.start(&["run", "app.wasm", "--port", "0"]);
    let line = read_line(child.stderr.as_mut().expect("piped"));
    assert!(line.starts_with("rolebox: app listens on http://127.0.0.1:"), "{line}");
    signal(&child, "TERM");
    assert_eq!(code(child.wait().expect("an end")), Some(0));

    let outcome = sandbox.run(&["run", "app.wasm"]);
    assert_eq!(outcome.code, Some(126));
    assert!(
        outcome.stderr.contains("give the container `portMappings` (a component by itself, `--port`)"),
        "{outcome:?}"
    );
}

#[test]
fn host_ports_are_narrowed_by_flags() {
    let sandbox = Sandbox::new();
    let definition = definition(&sandbox, 8080);
    for (flags, bound) in [
        (&["--no-ports"][..], "none"),
        (&["--allow-port", "8081"], "8081"),
        (&["--allow-port", "0", "--allow-port", "9000-9010"], "0, 9000-9010"),
    ] {
        let outcome = sandbox.run(&[&["run", &definition], flags].concat());
        let expected = format!(
            "containerDefinitions[0].portMappings[0].hostPort: asks for 8080 (the operator allows {bound}; to allow it: \
             OperatorBounds::allow_host_port, or --allow-port PORT)"
        );
        assert_eq!(outcome.code, Some(125));
        assert!(outcome.stderr.contains(&expected), "{}", outcome.stderr);
    }
    let outcome = sandbox.run(&["explain", &definition, "--allow-port", "8000-8999"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.text().contains("serves on       port 8080 of the host\n"), "{}", outcome.text());
    for wrong in ["http", "70000", "9-8", "", "-1"] {
        let outcome = sandbox.run(&["run", &definition, &format!("--allow-port={wrong}")]);
        assert_eq!(outcome.code, Some(125));
        let expected = format!("--allow-port: {wrong:?} is no port. Write it like 8080, 8080-8089 or 0");
        assert!(outcome.stderr.contains(&expected), "{}", outcome.stderr);
    }
}
