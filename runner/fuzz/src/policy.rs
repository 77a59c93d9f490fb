//! Policy documents and trust policies: what must hold of every decision.

use rolebox_policy::{AccessRequest, Context, Decision, PolicyDocument, Principal, TrustPolicy, evaluate};

/// A policy that denies everything, to hold against whatever another one allows.
const DENY_EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;

/// A request to decide, as one line `ACTION|ARN|KEY=VALUE|…`, a key that stands twice having both values.
#[derive(Debug)]
pub struct Request<'a> {
    action: &'a str,
    resource: &'a str,
    context: Context,
}

impl<'a> Request<'a> {
    /// Reads a line; what is missing is empty.
    pub fn from_line(line: &'a str) -> Self {
        let mut fields = line.split('|');
        let (action, resource) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let mut context = Context::new();
        for (key, value) in fields.filter_map(|field| field.split_once('=')) {
            let mut values = context.values(key).to_vec();
            values.push(value.to_owned());
            context.insert_all(key, values);
        }
        Self { action, resource, context }
    }

    /// The same with only those condition keys that `keys` lists.
    fn only(&self, keys: &[String]) -> Context {
        let mut context = Context::new();
        for (key, values) in self.context.iter().filter(|(key, _)| keys.contains(&key.to_ascii_lowercase())) {
            context.insert_all(key, values.iter().cloned());
        }
        context
    }
}

/// Holds an identity policy to what is true of every policy.
pub fn check_identity(text: &str, requests: &[Request<'_>]) {
    let policy = match PolicyDocument::parse(text) {
        Ok(policy) => policy,
        Err(error) => return crate::readable(&error.to_string()),
    };
    let deny = PolicyDocument::parse(DENY_EVERYTHING).expect("a policy");
    let keys = policy.context_keys();
    for Request { action, resource, context } in requests {
        let asked = AccessRequest { action, resource, context };
        let decision = evaluate([&policy], None, &asked);
        // Met with itself, a policy says what it says.
        assert_eq!(evaluate([&policy], Some(&policy), &asked), decision);
        assert_eq!(evaluate([&policy, &policy], None, &asked), decision);
        // Nothing overrules a deny, wherever it stands, and no policy is no permission.
        for denied in [
            evaluate([&policy, &deny], None, &asked),
            evaluate([&deny, &policy], None, &asked),
            evaluate([&policy], Some(&deny), &asked),
            evaluate([&deny], Some(&policy), &asked),
        ] {
            assert_eq!(denied, Decision::ExplicitlyDenied);
        }
        assert!(!evaluate([], Some(&policy), &asked).is_allowed());
        // Actions have no case.
        let (upper, lower) = (action.to_ascii_uppercase(), action.to_ascii_lowercase());
        assert_eq!(evaluate([&policy], None, &AccessRequest { action: &upper, ..asked }), decision);
        assert_eq!(evaluate([&policy], None, &AccessRequest { action: &lower, ..asked }), decision);
    }
    for request in requests {
        // What the policy says that it looks at is all that it looks at.
        let context = request.only(&keys);
        let asked = AccessRequest { action: request.action, resource: request.resource, context: &request.context };
        let less = AccessRequest { context: &context, ..asked };
        assert_eq!(evaluate([&policy], None, &less), evaluate([&policy], None, &asked), "{keys:?} {request:?}");
    }
}

/// The same for a role's trust policy.
pub fn check_trust(text: &str, requests: &[Request<'_>]) {
    let policy = match TrustPolicy::parse(text) {
        Ok(policy) => policy,
        Err(error) => return crate::readable(&error.to_string()),
    };
    let keys = policy.context_keys();
    for request in requests {
        let Request { action, resource, context } = request;
        // The line's ARN is who asks; what is none is the name of a service.
        let principal = match resource.parse() {
            Ok(arn) => Principal::Aws(arn),
            Err(_) => Principal::Service((*resource).to_owned()),
        };
        let asked = AccessRequest { action, resource: "*", context };
        let decision = policy.evaluate(&principal, &asked);
        let less = AccessRequest { context: &request.only(&keys), ..asked };
        assert_eq!(policy.evaluate(&principal, &less), decision, "{keys:?} {request:?}");
        assert_eq!(policy.evaluate(&principal, &AccessRequest { resource: "arn:aws:s3:::other", ..asked }), decision);
        assert!(!policy.evaluate(&Principal::Service(String::new()), &asked).is_allowed());
    }
}
