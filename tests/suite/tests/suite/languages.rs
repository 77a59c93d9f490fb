//! The sample in other languages, built by their own tools and run from its own task definitions.
//!
//! Each example's `build` fetches its tools and builds its component, once for each state of its sources; it says what
//! is missing where it cannot. Nothing is skipped: without the registries, these tests fail.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memmem::find;
use rolebox_local_aws::{LocalAws, Roles, Server};
use rolebox_suite::{Host, Outcome, aws_settings};
use serde_json::{Value, json};

use crate::secrets::assert_no_key;

/// A sample, and an embedded AWS with the roles that its folder names.
struct Sample {
    folder: PathBuf,
    host: Host,
    aws: Server,
    memories: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Sample {
    /// Builds it first. What is built is told on stderr, which the harness does not capture of a process.
    async fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name).canonicalize().unwrap();
        let mut build = Command::new(folder.join("build"));
        build.stdin(Stdio::null()).stdout(Stdio::from(std::io::stderr()));
        let status = build.status().unwrap_or_else(|error| panic!("{build:?}: {error}; it needs python3"));
        assert!(status.success(), "{build:?} failed; its messages are above");

        let roles = Roles::from_json(&fs::read_to_string(folder.join("roles.json")).unwrap()).unwrap();
        let aws = LocalAws::builder(roles).build().unwrap().start((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let memories = Arc::new(Mutex::new(Vec::<Vec<u8>>::new()));
        let kept = memories.clone();
        let host = Host::with(|settings| {
            let settings = settings.with_aws(aws_settings(&aws)).with_code_cache(code_cache());
            settings.inspect_memory(Arc::new(move |memory: &[u8]| {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(memory.to_vec());
            }))
        })
        .await;
        Self { folder, host, aws, memories }
    }

    /// Runs one of its definitions, whose image lies beside it.
    async fn run(&self, definition: &str) -> Outcome {
        let mut definition = self.definition(definition);
        let image = &mut definition["containerDefinitions"][0]["image"];
        *image = json!(self.folder.join(image.as_str().unwrap()));
        self.host.run(&definition).await
    }

    fn definition(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.folder.join(name)).unwrap()).unwrap()
    }

    /// What the embedded AWS was asked for since it had seen `before` requests, AssumeRole left out.
    fn operations(&self, before: usize) -> Vec<String> {
        let requests = self.aws.aws().requests().into_iter().skip(before);
        let operations = requests.map(|request| request.operation.unwrap_or_else(|| "?".to_owned()));
        operations.filter(|operation| operation != "AssumeRole").collect()
    }

    fn assert_uploaded(&self, outcome: &Outcome) {
        assert_eq!(outcome.stopped.exit_code(), 0, "{outcome:?}");
        let bucket = self.aws.aws().buckets().pop().expect("the bucket").name;
        let uuid = bucket.strip_prefix("node-sdk-sample-").expect("the sample's name");
        assert!(uuid.len() == 36 && uuid.as_bytes()[14] == b'4', "{uuid} is no UUID of version 4");
        assert_eq!(outcome.stdout, format!("Successfully uploaded data to {bucket}/hello_world.txt\n"));
        assert_eq!(outcome.stderr, "");
        assert_eq!(self.aws.aws().object(&bucket, "hello_world.txt").unwrap(), b"Hello World!");
        assert_eq!(self.operations(0), ["CreateBucket", "PutObject"]);
        assert!(self.denials().is_empty());
    }

    fn assert_denied(&self, outcome: &Outcome, before: usize) {
        assert_eq!(outcome.stopped.exit_code(), 1, "{outcome:?}");
        assert_eq!(outcome.stdout, "");
        let bucket = self.aws.aws().buckets().into_iter().map(|bucket| bucket.name);
        let bucket = bucket.max_by_key(|name| outcome.stderr.contains(name)).expect("a bucket");
        let missing = format!("s3:PutObject on arn:aws:s3:::{bucket}/hello_world.txt");
        assert_eq!(outcome.stderr, format!("AccessDenied: no capability of this task grants {missing}\n"));
        assert_eq!(self.operations(before), ["CreateBucket"], "what is denied is not sent");
        let denials = self.denials();
        assert_eq!(denials.len(), 1, "denied once, so never retried: {denials:?}");
        assert_eq!(denials[0]["operation"], "PutObject");
    }

    fn denials(&self) -> Vec<Value> {
        let records = self.host.audit.all().into_iter();
        records.filter(|record| record["event"] == "decision" && record["decision"] == "deny").collect()
    }

    /// Neither what the tasks printed nor any byte of their memories.
    fn assert_no_key_in(&self, outcomes: [&Outcome; 2]) {
        let memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = memories.iter().filter(|memory| find(memory, b"hello_world.txt").is_some()).count();
        assert_eq!(seen, outcomes.len(), "the memory of each task is looked at");
        for memory in memories.iter() {
            assert_no_key("guest memory", memory, &self.aws);
        }
        for outcome in outcomes {
            assert_no_key("output", format!("{outcome:?}").as_bytes(), &self.aws);
        }
    }
}

/// Machine code of these large images, for the next run. What is in it is found by the image's hash.
fn code_cache() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    fs::create_dir_all(&target).unwrap();
    target.canonicalize().unwrap().join("examples-code")
}

/// One test for each language and not more, so that each component is compiled once.
async fn the_sample_uploads_and_is_denied(name: &str) {
    let sample = Sample::new(name).await;
    let uploaded = sample.run("task-definition.json").await;
    sample.assert_uploaded(&uploaded);
    let limit = sample.definition("task-definition.json")["containerDefinitions"][0]["memory"].as_u64().unwrap() << 20;
    let peak = uploaded.stopped.peak_memory;
    assert!(peak * 2 <= limit, "the definition's memory leaves no room: {peak} bytes of {limit} are used");

    let before = sample.aws.aws().requests().len();
    let denied = sample.run("task-definition-read-only.json").await;
    sample.assert_denied(&denied, before);
    sample.assert_no_key_in([&uploaded, &denied]);
}

#[tokio::test]
async fn javascript() {
    the_sample_uploads_and_is_denied("s3-sample-js").await;
}

#[tokio::test]
async fn python() {
    the_sample_uploads_and_is_denied("s3-sample-python").await;
}

#[tokio::test]
async fn c() {
    the_sample_uploads_and_is_denied("s3-sample-c").await;
}
