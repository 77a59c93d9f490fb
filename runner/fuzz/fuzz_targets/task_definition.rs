//! A task definition's text.
//!
//! The module is compiled in from its source: the crate that it belongs to would bring wasmtime along.
#![no_main]

#[allow(dead_code, unused_imports, reason = "the library's public items, of which a fuzz target uses a few")]
#[path = "../../src"]
mod library {
    pub mod definition;
}

use std::path::Path;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use library::definition::{
    DefinitionError, Image, MAX_CONTAINERS, MAX_CPU, MAX_MEMORY, MAX_TIMEOUT, MIN_MEMORY, SessionPolicySetting,
    TaskDefinition, parse_duration, show_duration,
};
use rolebox_aws_request::host::{self, Host};
use rolebox_fuzz::readable;

const FOLDER: &str = "/tasks";

fuzz_target!(|text: &str| {
    let folder = Path::new(FOLDER);
    let definition = match TaskDefinition::parse(text, folder) {
        Ok(definition) => definition,
        Err(error) => return refused(&error),
    };
    accepted(&definition);
    // The text, and the document that a caller may have built itself, are held to the same rules.
    let document: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let again = TaskDefinition::from_value(document, folder).expect("the same definition");
    assert_eq!(format!("{again:?}"), format!("{definition:?}"));
});

fn refused(error: &DefinitionError) {
    readable(&error.to_string());
    if let DefinitionError::Invalid(problems) = error {
        assert!(!problems.is_empty());
        for problem in problems {
            assert!(!problem.what.is_empty(), "{problem:?}");
        }
    }
}

fn accepted(definition: &TaskDefinition) {
    assert!((1..=255).contains(&definition.family().len()));
    assert!((Duration::from_millis(1)..=MAX_TIMEOUT).contains(&definition.timeout()));
    assert_eq!(parse_duration(&show_duration(definition.timeout())), Some(definition.timeout()));

    let containers = definition.containers();
    assert!((1..=MAX_CONTAINERS).contains(&containers.len()));
    assert!(containers.iter().any(|container| container.essential()));
    let mut memory = 0;
    for (at, container) in containers.iter().enumerate() {
        assert!(containers[..at].iter().all(|other| other.name() != container.name()));
        assert!((MIN_MEMORY..=MAX_MEMORY).contains(&container.memory()) && container.cpu() <= MAX_CPU);
        memory += u64::from(container.memory().get());
        for dependency in container.depends_on() {
            assert!(containers.iter().any(|other| other.name() == dependency.container_name()));
        }
        for mount in container.mount_points() {
            assert!(definition.volumes().iter().any(|volume| volume.name() == mount.source_volume()));
        }
        if let Image::File(path) = container.image() {
            assert!(path.is_absolute(), "{path:?}");
        }
    }
    assert!(definition.memory().is_none_or(|limit| memory <= u64::from(limit.get())));

    // What is AWS's is signed or refused, and never reached as one of the other hosts.
    for name in definition.egress() {
        assert!(matches!(host::classify(name.host()), Ok(Host::Customer(_) | Host::Other(_))), "{name}");
        assert!(name.host().is_ascii() && name.port() > 0);
    }
    if let Some(role) = definition.task_role()
        && let SessionPolicySetting::Required(policy) = role.session_policy()
    {
        assert_eq!(role.capabilities().session_policy().as_ref(), Ok(policy));
        assert_eq!(role.capabilities().len(), role.declared_capabilities().len());
    }
    for ignored in definition.ignored_keys() {
        readable(&format!("{}: {}", ignored.path, ignored.why));
    }
}
