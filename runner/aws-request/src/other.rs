//! Services that are known by the names of their operations alone.
//!
//! The protocol says which operation a request is, and no more: what it works on stands somewhere in its body. So its
//! one permission is on `*`, and only a capability on `*` allows it. The table holds the operations that have an IAM
//! action of their own name; what it doesn't hold is refused.
//!
//! Source: `other/operations.txt`, which `facts/derive.py` makes from the AWS SDKs' models and the Service Authorization
//! Reference.

use std::sync::LazyLock;

use rolebox_policy::{Check, CheckResource, Region};

use crate::api::json;
use crate::call::{Call, Operation, Protocol};
use crate::refusal::{Quoted, Refusal};

/// One service of the table.
#[derive(Debug)]
pub(crate) struct Other {
    endpoint: &'static str,
    signing_name: &'static str,
    actions: &'static str,
    target: &'static str,
    protocol: Protocol,
    operations: Vec<&'static str>,
}

static SERVICES: LazyLock<Vec<Other>> = LazyLock::new(|| {
    let mut services: Vec<Other> = Vec::new();
    for line in include_str!("other/operations.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match (words.as_slice(), services.last_mut()) {
            (operations, Some(service)) if line.starts_with(' ') => service.operations.extend(operations),
            (&[endpoint, signing_name, actions, version, target], _) => services.push(Other {
                endpoint,
                signing_name,
                actions,
                target,
                protocol: if version == "1.0" { Protocol::Json10 } else { Protocol::Json11 },
                operations: Vec::new(),
            }),
            _ => {}
        }
    }
    services
});

/// The service of an endpoint prefix.
pub(crate) fn find(endpoint: &str) -> Option<&'static Other> {
    SERVICES.iter().find(|service| service.endpoint == endpoint)
}

impl Other {
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Parses a request to the service.
    pub(crate) fn parse(&self, call: &Call, region: Region) -> Result<Operation, Refusal> {
        let request = json::read(self.endpoint, self.target, self.protocol, call)?;
        let Some(name) = self.operations.iter().find(|name| **name == request.name) else {
            return Err(Refusal::not_understood(
                format!("operation {}", Quoted(request.name)),
                format!("it is not one of {}'s that is understood", self.endpoint),
                "use an operation that has an IAM action of its name",
            ));
        };
        let check = Check::new(format!("{}:{name}", self.actions), CheckResource::Any)
            .with("aws:RequestedRegion", region.as_str());
        Ok(json::operation(
            json::Named { endpoint: self.endpoint, signing_name: self.signing_name, target: self.target, name },
            self.protocol,
            region,
            &request.body,
            vec![check],
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(SERVICES.len() >= 10);
        for service in SERVICES.iter() {
            assert!(!service.operations.is_empty(), "{}", service.endpoint);
            assert!(service.operations.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric())));
        }
        let states = find("states").unwrap();
        assert_eq!((states.protocol, states.target), (Protocol::Json10, "AWSStepFunctions"));
    }
}
