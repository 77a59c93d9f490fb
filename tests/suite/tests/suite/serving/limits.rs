//! What there is no room for is said to be refused, at once.

use super::*;

fn requests_in_flight(count: u32) -> impl FnOnce(&mut Value) {
    move |definition| definition["rolebox"]["limits"] = json!({"requestsInFlight": count})
}

async fn assert_full(served: &Served) {
    let answer = served.get("/hello").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
    assert_eq!(answer.text(), "too many requests are in flight\n");
}

/// Ends a request that [`Served::begin`] began, and waits for its place.
async fn end(served: &Served, mut client: Client) {
    client.send("0\r\n\r\n").await;
    assert_eq!(client.chunk().await.as_deref(), Some(&b""[..]));
    while served.get("/hello").await.status == 503 {}
}

#[tokio::test]
async fn sixty_four_requests_are_in_flight_and_one_more_is_refused() {
    let served = Served::start(|_| {}).await;
    let mut clients = Vec::new();
    for _ in 0..64 {
        clients.push(served.begin().await);
    }
    assert_full(&served).await;
    end(&served, clients.pop().unwrap()).await;
    // Those that were in flight are none the wiser.
    for mut client in clients {
        client.send("1\r\n!\r\n").await;
        assert_eq!(client.chunk().await.as_deref(), Some(&b"!"[..]));
    }
}

#[tokio::test]
async fn the_definition_says_how_many() {
    let served = Served::start(requests_in_flight(2)).await;
    let clients = [served.begin().await, served.begin().await];
    assert_full(&served).await;
    let [one, _other] = clients;
    end(&served, one).await;
    let stopped = served.stop().await;
    assert!(stopped.containers[0].requests.unwrap().refused_count >= 1, "{stopped:?}");
}

#[tokio::test]
async fn the_tasks_own_memory_is_what_its_requests_have_together() {
    let served = Served::start(|definition| definition["memory"] = json!("128")).await;
    let _two = [served.begin().await, served.begin().await];
    assert_full(&served).await;
}

#[tokio::test]
async fn a_full_pool_refuses_requests_and_no_task_loses_its_places() {
    let host = host_with(|settings| settings.with_max_instances(2)).await;
    let served = Served::on(host, &handler(|_| {})).await;
    let clients = [served.begin().await, served.begin().await];
    assert_full(&served).await;
    let [one, other] = clients;
    end(&served, one).await;
    drop(other);
}

#[tokio::test]
async fn connections_are_bounded_and_idle_ones_are_no_requests() {
    let served = Served::start(|_| {}).await;
    let mut idle = Vec::new();
    for _ in 0..255 {
        idle.push(served.connect().await);
    }
    // The last place; the host has taken all by the time it answers, since it takes them in their order.
    let mut last = served.connect().await;
    last.send("GET /hello HTTP/1.1\r\nHost: test\r\n\r\n").await;
    assert_eq!(last.answer().await.unwrap().text(), "hello\n");
    let mut excess = served.connect().await;
    let answer = excess.answer().await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
    assert!(excess.is_closed().await);
    idle.clear();
    loop {
        let mut client = served.connect().await;
        // A connection that is turned away may be reset while this is written.
        let _ = client.0.write_all(b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n").await;
        if client.answer().await.is_some_and(|answer| answer.status == 200) {
            break;
        }
    }
}

#[tokio::test]
async fn what_requests_use_is_the_tasks() {
    let served = Served::start(|_| {}).await;
    assert_eq!(served.get("/allocate").await.status, 500);
    assert_eq!(served.get("/hello").await.status, 200);
    let stopped = served.stop().await;
    let container = &stopped.containers[0];
    assert!(container.peak_memory > 32 << 20 && container.peak_memory <= 64 << 20, "the largest: {stopped:?}");
    assert!(!container.cpu_time.is_zero());
    let json = serde_json::to_value(&stopped).unwrap();
    assert_eq!(json["containers"][0]["requestCount"], 2);
    assert_eq!(json["containers"][0]["failedCount"], 1);
}
