//! What a hostile guest forms, from inside a guest to the bytes at the upstream: each case ends in "denied, zero bytes
//! upstream" or in a named safe outcome, with exactly what was sent.
//!
//! The cases are data, and go through both doors: `raw-call` through the typed one, `http-call` through `wasi:http`.

mod answers;
mod cases;
pub(crate) mod recorder;
mod run;

use rolebox_suite::Host;
use serde_json::{Value, json};

use self::recorder::Upstream;
use self::run::{Door, arguments, calls, doors, outcome};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Nothing of what the task's own account has is out of reach, but what only a full name grants.
fn everything() -> Value {
    let services = ["s3", "dynamodb", "sqs", "sns", "ecr"];
    let mut actions: Vec<String> = services.iter().map(|service| format!("{service}:*")).collect();
    actions.push("sts:GetCallerIdentity".into());
    json!([{"action": actions, "resource": "*"}])
}

/// One prefix of one bucket, and one table.
fn narrow() -> Value {
    json!([
        {"action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "resource": "arn:aws:s3:::bucket/in/*"},
        {"action": ["s3:PutObject", "s3:PutObjectAcl"], "resource": "arn:aws:s3:::bucket/acl/*"},
        {"action": ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:DeleteItem"],
            "resource": "arn:aws:dynamodb:us-east-1:123456789012:table/t"},
    ])
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn http_call() {
    let upstream = Upstream::start(|_| OK.to_vec()).await;
    let host = Host::with(|settings| settings.with_aws(upstream.settings())).await;
    let cases = cases::all();
    let (mut ways, mut safe, mut wrong) = (0, 0, Vec::new());
    for door in [Door::Typed, Door::Http] {
        for is_narrow in [false, true] {
            let these = cases.iter().filter(|case| case.narrow == is_narrow);
            let these: Vec<_> = these
                .filter_map(|case| Some((case, doors(case).into_iter().find(|(found, _)| *found == door)?.1)))
                .collect();
            let lists: Vec<Vec<String>> = these.iter().map(|(case, _)| arguments(case, door)).collect();
            let capabilities = if is_narrow { narrow() } else { everything() };
            let before = upstream.requests().len();
            let printed = calls(&host, door, &capabilities, &lists).await;
            let mut sent = 0;
            for ((case, expected), printed) in these.iter().zip(&printed) {
                let found =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| outcome(case, door, printed, &upstream)))
                        .unwrap_or_else(|_| format!("PANIC {printed:?}"));
                ways += 1;
                sent += usize::from(found.starts_with("sent "));
                if found != *expected {
                    wrong.push(format!(
                        "{door:?} {}: {}\n   expected {expected}\n   found    {found}",
                        case.name, case.request
                    ));
                }
            }
            safe += sent;
            // Whatever was refused sent nothing. The guest's first call is made again at the end of its list.
            let again = usize::from(outcome(these[0].0, door, &printed[0], &upstream).starts_with("sent "));
            if upstream.requests().len() != before + sent + again {
                wrong.push(format!("{door:?}: more was sent than what was answered"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {ways}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases.len() >= 120);
    println!("hostile cases: {} ({ways} through a door, {safe} of them safe and sent)", cases.len());
}
