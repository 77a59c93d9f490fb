//! Which tasks serve, and under which role.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rolebox::task::PrepareError;
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{all_of_s3, task, with_role};

use super::*;

#[tokio::test]
pub(crate) async fn http_handler() {
    // The same image is a command where it has no port.
    let outcome = host().await.run(&task(Path::new(HTTP_HANDLER), &[])).await;
    assert_eq!((outcome.stopped.exit_code(), outcome.stdout.as_str()), (0, "command\n"));
    let served = Served::start(|_| {}).await;
    assert_eq!(served.get("/hello").await.text(), "hello\n");
}

#[tokio::test]
async fn calls_of_all_requests_are_signed_with_the_tasks_one_session() {
    let definition = with_role(handler(|_| {}), "full", &all_of_s3());
    let served = Served::on(host().await, &definition).await;
    assert_eq!(served.host.request_count(), 1, "the role is assumed before anything listens");
    assert_eq!(served.get("/make/visits").await.text(), "done\n");
    for key in ["one", "two", "three"] {
        assert_eq!(served.get(&format!("/put/visits/{key}")).await.text(), "done\n");
        assert_eq!(served.host.aws.aws().object("visits", key).unwrap(), b"put\n");
    }
    assert_eq!(served.host.aws.aws().issued_sessions().len(), 1);
    let records = served.host.audit.clone();
    let stopped = served.stop().await;
    assert_eq!(stopped.call_count, 4);
    assert!(records.all().iter().all(|record| record["taskId"] == stopped.task_id));
}

#[tokio::test]
async fn calls_without_a_capability_are_denied() {
    let capabilities = json!([{"action": "s3:PutObject", "resource": "arn:aws:s3:::visits/*"}]);
    let served = Served::on(host().await, &with_role(handler(|_| {}), "full", &capabilities)).await;
    assert_eq!(served.get("/put/others/one").await.text(), "AccessDenied\n");
    assert_eq!(served.get("/put/visits/one").await.text(), "NoSuchBucket\n");
}

#[tokio::test]
async fn a_task_whose_role_cannot_be_assumed_never_listens() {
    let definition = with_role(handler(|_| {}), "stranger", &all_of_s3());
    let prepared = host().await.prepare(&definition).await.unwrap();
    let mut running = prepared.start(TaskOutput::Discard);
    assert_eq!(running.bindings().next().await, None);
    assert!(running.wait().await.stopped_reason.starts_with("unable to assume the task role"));
}

/// Why a definition cannot be prepared.
async fn refused(definition: &Value) -> String {
    match host().await.prepare(definition).await {
        Err(error @ PrepareError::Image { container: 0, .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_image_without_the_entrance_that_its_container_needs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let command = handler(|definition| definition["containerDefinitions"][0]["image"] = json!(artifacts::PRINT));
    let said = refused(&command).await;
    assert!(said.contains("the component does not export `wasi:http/incoming-handler@0.2.x`"), "{said}");
    assert!(said.ends_with("or remove the mappings"), "{said}");

    let module = wat::parse_str(r#"(module (func (export "_start")))"#).unwrap();
    let module = rolebox_suite::image_file(folder.path(), "module.wasm", &module);
    let said = refused(&handler(|definition| definition["containerDefinitions"][0]["image"] = json!(module))).await;
    assert!(said.contains("a core module handles no requests"), "{said}");

    let said = refused(&task(Path::new(artifacts::HTTP_PRESENCE), &[])).await;
    assert!(said.contains("give the container `portMappings`"), "{said}");
}

#[tokio::test]
async fn host_ports_are_the_operators_to_allow() {
    let definition = handler(|definition| {
        definition["containerDefinitions"][0]["portMappings"] = json!([{"containerPort": 8080}]);
        definition["memory"] = json!("64");
    });
    let refused = |bounds: rolebox::OperatorBounds| {
        let checks = bounds.checks(&rolebox_suite::parse(&definition)).into_iter().filter(|check| !check.allowed);
        checks.map(|check| format!("{}: {} ({})", check.place, check.asks, check.bound)).collect::<Vec<_>>()
    };
    let port = "containerDefinitions[0].portMappings[0].hostPort: 8080";
    assert_eq!(refused(bounds()), [format!("{port} (none)")]);
    let some = bounds().allow_host_port(0).allow_host_ports(8081..=8090).allow_host_port(80);
    assert_eq!(refused(some), [format!("{port} (0, 8081-8090, 80)")]);
    for allowed in [bounds().allow_host_port(8080), bounds().allow_host_ports(8000..=9000)] {
        assert_eq!(refused(allowed), [""; 0]);
    }
    let free = handler(|_| {});
    let checks = bounds().allow_host_ports(1..=65_535).checks(&rolebox_suite::parse(&free));
    let check = checks.iter().find(|check| check.what == "host port of guest").unwrap();
    assert_eq!((check.asks.as_str(), check.allowed), ("0 (a free one)", false));
}

#[tokio::test]
async fn what_all_requests_may_need_is_the_memory_of_the_task() {
    let memory = |definition: &Value| {
        let checks = bounds().checks(&rolebox_suite::parse(definition));
        let check = checks.into_iter().find(|check| check.what == "memory of the task").unwrap();
        (check.asks, check.allowed)
    };
    assert_eq!(memory(&handler(|_| {})), ("4096 MiB".to_owned(), false));
    let few = handler(|definition| definition["rolebox"]["limits"] = json!({"requestsInFlight": 8}));
    assert_eq!(memory(&few), ("512 MiB".to_owned(), true));
    assert_eq!(memory(&handler(|definition| definition["memory"] = json!("256"))), ("256 MiB".to_owned(), true));
}

#[tokio::test]
async fn the_memory_of_each_request_can_be_looked_at_when_it_has_ended() {
    let memories = Arc::new(AtomicUsize::new(0));
    let seen = memories.clone();
    let inspector = Arc::new(move |memory: &[u8]| {
        assert!(!memory.is_empty());
        seen.fetch_add(1, Ordering::SeqCst);
    });
    let host = host_with(|settings| settings.inspect_memory(inspector)).await;
    let served = Served::on(host, &handler(|_| {})).await;
    for (path, status) in [("/hello", 200), ("/trap", 500)] {
        assert_eq!(served.get(path).await.status, status);
    }
    assert_eq!(served.stop().await.containers[0].requests.unwrap().failed_count, 1, "looking is no failure");
    assert!(memories.load(Ordering::SeqCst) >= 2, "of one that ended well, and of one that did not");
}
