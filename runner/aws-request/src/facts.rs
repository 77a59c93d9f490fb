//! The tables of this crate against the facts that `facts/derive.py` takes from the AWS SDKs' models and the Service
//! Authorization Reference.
//!
//! Every operation is either in a table or refused on purpose, and so is everything that an operation takes. When the
//! facts are made anew, what AWS has added fails here until somebody has decided about it.

mod refused;

use std::collections::BTreeSet;

use crate::api::Service;
use crate::host::{self, Host};
use crate::s3::facts::{self as s3, S3Row};
use crate::wire::json::Json;
use refused::{OPERATIONS, PARAMETERS, S3_ACTIONS, S3_HEADERS, S3_QUERY};

const FACTS: &str = include_str!("../facts/operations.txt");

/// The lines of one kind, split at their bars.
fn lines(kind: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    FACTS
        .lines()
        .filter_map(move |line| line.strip_prefix(kind)?.strip_prefix(' '))
        .map(|line| line.split('|').map(str::trim).collect())
}

fn words(text: &'static str) -> BTreeSet<&'static str> {
    text.split_ascii_whitespace().collect()
}

/// What differs, all of it at once: the facts are made anew for many operations together.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn unless(&mut self, fine: bool, problem: impl FnOnce() -> String) {
        if !fine {
            self.0.push(problem());
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "\n{}\n", self.0.join("\n"));
    }
}

/// Why an operation is refused, if it is.
fn refused(service: &str, name: &str) -> Option<&'static str> {
    let fits = |entry: &&(&str, &[&str], _)| entry.0 == service && (entry.1.contains(&name) || entry.1 == ["*"]);
    OPERATIONS.iter().find(fits).map(|(_, _, why)| *why)
}

#[test]
fn every_operation_of_s3_is_parsed_as_it_is_or_refused_on_purpose() {
    let mut rows: BTreeSet<&str> = s3::rows().map(|row| row.name).collect();
    let mut refusals = 0;
    let mut problems = Problems::default();
    for line in lines("s3") {
        let [form, query, headers, body, actions] = line.as_slice() else {
            panic!("{line:?}");
        };
        let form: Vec<&str> = form.split(' ').collect();
        let [name, method, uri] = form.as_slice() else {
            panic!("{form:?}");
        };
        let Some(row) = s3::rows().find(|row| row.name == *name) else {
            problems
                .unless(refused("s3", name).is_some(), || format!("{name} is neither parsed nor refused on purpose"));
            refusals += 1;
            continue;
        };
        problems.unless(refused("s3", name).is_none(), || format!("{name} is refused and parsed"));
        rows.remove(name);
        let (path, fixed) = uri.split_once('?').unwrap_or((uri, ""));
        let level = match path {
            "/" => "service",
            "/{Bucket}" => "bucket",
            "/{Bucket}/{Key+}" => "object",
            other => panic!("{other}"),
        };
        problems.unless((row.method, row.level) == (*method, level), || format!("{name} is {method} on {level}"));

        // Query keys: those of the form and those that it may have, without what is refused on purpose.
        let fixed: BTreeSet<&str> = fixed.split('&').filter(|key| !key.is_empty()).collect();
        let needed: BTreeSet<&str> = row.needs.iter().filter(|need| !need.ends_with("=*")).copied().collect();
        problems.unless(needed == fixed, || format!("{name} needs {fixed:?}"));
        let listed = row.needs.iter().filter_map(|need| need.strip_suffix("=*")).chain(row.takes.iter().copied());
        compare(&mut problems, name, "query key", listed.collect(), words(query), S3_QUERY);

        // Headers. The host's own are not in a row, nor is what it writes beside a body that it made itself.
        let mut known = words(headers);
        for own in ["content-length", "x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
            known.remove(own);
        }
        if row.copies {
            known.remove("x-amz-copy-source");
        }
        if row.made_body {
            known.retain(|header| !matches!(*header, "content-md5" | "x-amz-sdk-checksum-algorithm"));
        }
        let listed = row.headers.iter().flat_map(|family| family.iter().copied()).collect();
        compare(&mut problems, name, "header", listed, known, S3_HEADERS);

        problems.unless(row.body_root.unwrap_or("-") == *body, || format!("{name} has the body {body}"));
        check_actions(&mut problems, &row, words(actions));
    }
    problems.unless(rows.is_empty(), || format!("S3 has no {rows:?}"));
    problems.none();
    println!("S3: {} operations parsed, {refusals} refused on purpose", s3::rows().count());
}

/// Compares what a row lists with what the model has.
fn compare(
    problems: &mut Problems,
    name: &str,
    what: &str,
    listed: BTreeSet<&str>,
    known: BTreeSet<&str>,
    on_purpose: &[(&str, &str)],
) {
    for extra in listed.difference(&known) {
        let starred = extra.strip_suffix('*').is_some_and(|start| known.iter().any(|key| key.starts_with(start)));
        problems.unless(starred, || format!("{name} lists the {what} {extra}, which the model has not"));
    }
    for missing in known.difference(&listed) {
        let refused = on_purpose
            .iter()
            .any(|(operation, key)| matches!(*operation, "*") | (operation == &name) && key == missing);
        let starred = listed.iter().any(|key| key.strip_suffix('*').is_some_and(|start| missing.starts_with(start)));
        problems
            .unless(refused || starred, || format!("{name} takes the {what} {missing}, neither listed nor refused"));
    }
}

/// Every action that the operation's documentation names is one that the row may ask for, and the row asks for no other.
fn check_actions(problems: &mut Problems, row: &S3Row, documented: BTreeSet<&str>) {
    let asked: BTreeSet<&str> = row.actions.iter().copied().collect();
    let exceptions = |sign: &str| -> BTreeSet<&str> {
        let fits = |entry: &&(&str, &str, &str)| entry.0 == row.name && entry.1 == sign;
        S3_ACTIONS.iter().filter(fits).flat_map(|(_, _, actions)| actions.split(' ')).collect()
    };
    let missing: BTreeSet<&str> = documented.difference(&asked).copied().collect();
    problems
        .unless(missing == exceptions("not asked"), || format!("{}: documented, not asked for: {missing:?}", row.name));
    let more: BTreeSet<&str> = asked.difference(&documented).copied().collect();
    problems.unless(more == exceptions("asked"), || format!("{}: asked for, not documented: {more:?}", row.name));
}

#[test]
fn condition_keys_are_published_for_their_actions() {
    let published: Vec<(&str, BTreeSet<&str>)> =
        lines("key").map(|line| (line[0], words(line.get(1).copied().unwrap_or_default()))).collect();
    let mut pairs = 0;
    let mut problems = Problems::default();
    for (key, actions) in s3::condition_keys() {
        for action in actions {
            let (_, keys) = published.iter().find(|(name, _)| name == action).unwrap_or_else(|| panic!("{action}"));
            problems.unless(keys.contains(key), || format!("{key} is not published for {action}"));
            pairs += 1;
        }
        // And the other way round: every action that has the key gets it, if some row asks for the action.
        for (action, _) in published.iter().filter(|(_, keys)| keys.contains(key)) {
            let asked = s3::rows().any(|row| row.actions.contains(action));
            let given = s3::condition_keys().any(|(other, actions)| other == key && actions.contains(action));
            problems.unless(!asked || given, || format!("{action} has {key}, which its checks lack"));
        }
    }
    problems.none();
    println!("S3: {pairs} condition keys of actions");
}

#[test]
fn every_operation_of_the_other_services_is_parsed_or_refused_on_purpose() {
    let mut problems = Problems::default();
    for service in crate::SERVICES {
        let mut rows: BTreeSet<&str> = service.rows.iter().map(|row| row.name).collect();
        let mut refusals = 0;
        for line in lines(service.endpoint) {
            let name = line[0];
            if !rows.remove(name) {
                problems.unless(refused(service.endpoint, name).is_some(), || {
                    format!("{} {name} is neither parsed nor refused", service.endpoint)
                });
                refusals += 1;
                continue;
            }
            check_parameters(&mut problems, service, name, words(line.get(1).copied().unwrap_or_default()));
        }
        problems.unless(rows.is_empty(), || format!("{} has no {rows:?}", service.endpoint));
        println!("{}: {} operations parsed, {refusals} refused on purpose", service.endpoint, service.rows.len());
    }
    problems.none();
}

fn check_parameters(problems: &mut Problems, service: &Service, name: &str, known: BTreeSet<&str>) {
    let row = service.rows.iter().find(|row| row.name == name).unwrap();
    let listed: BTreeSet<&str> = crate::shape::names(row.shape).into_iter().collect();
    for extra in listed.difference(&known) {
        problems.0.push(format!("{} {name} lists {extra}, which the model has not", service.endpoint));
    }
    for missing in known.difference(&listed) {
        let refused = PARAMETERS.iter().any(|(endpoint, operation, parameters)| {
            *endpoint == service.endpoint
                && matches!(*operation, "*") | (*operation == name)
                && parameters.contains(missing)
        });
        problems.unless(refused, || format!("{} {name} takes {missing}, neither listed nor refused", service.endpoint));
    }
}

#[test]
fn what_is_refused_on_purpose_exists() {
    for (service, names, why) in OPERATIONS {
        assert!(!why.is_empty());
        for name in names.iter().filter(|name| **name != "*") {
            let form = |line: &Vec<&str>| line[0] == *name || line[0].starts_with(&format!("{name} "));
            assert!(lines(service).any(|line| form(&line)), "{service} has no operation {name}");
            let row = crate::SERVICES
                .iter()
                .any(|known| known.endpoint == *service && known.rows.iter().any(|row| row.name == *name));
            assert!(!row, "{service} {name} is refused and parsed");
        }
    }
}

/// The requests that botocore, which nobody here wrote, makes for each operation.
#[test]
fn requests_of_botocore_are_parsed_as_the_operations_that_they_are() {
    let scope = crate::CallerScope {
        account: "123456789012".parse().unwrap(),
        partition: "aws".into(),
        region: "us-east-1".parse().unwrap(),
    };
    let mut problems = Problems::default();
    let (mut parsed, mut refusals) = (0, 0);
    for line in include_str!("../facts/requests.txt").lines().filter(|line| !line.starts_with('#')) {
        let request = Json::read(line.as_bytes()).unwrap();
        let text = |name: &str| request.get(name).and_then(Json::as_text).unwrap_or_default();
        let rest = text("url").strip_prefix("https://").unwrap();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let headers = request.get("headers").map(Json::members).unwrap_or_default().iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_text().unwrap_or_default().into())).collect();
        let service = match text("service") {
            "ecr" => "api.ecr",
            service => service,
        };
        let read = host::from_authority(authority, true).and_then(|host| match host {
            Host::Aws(host) => {
                crate::Call::from_wire(&host, text("method"), target, headers, text("body").to_owned().into())
            }
            other => panic!("{other:?}"),
        });
        let read = read.and_then(|call| crate::parse(&call, &scope));
        let name = text("operation");
        let on_purpose = !crate::SERVICES
            .iter()
            .any(|known| known.endpoint == service && known.rows.iter().any(|row| row.name == name))
            && !s3::rows().any(|row| service == "s3" && row.name == name);
        match read {
            Ok(operation) if operation.name == name => parsed += 1,
            // The older names of operations whose requests are the same.
            Ok(operation) if on_purpose && operation.name == format!("{name}Configuration") => parsed += 1,
            Ok(operation) => problems.0.push(format!("{service} {name} is parsed as {}", operation.name)),
            Err(_) if on_purpose => refusals += 1,
            Err(refusal) => problems.0.push(format!("{service} {name}: {refusal}")),
        }
    }
    problems.none();
    println!("botocore: {parsed} requests parsed, {refusals} refused on purpose");
}
