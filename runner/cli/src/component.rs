//! A bare component and its flags, as the task definition that they stand for.
//!
//! The flags become the JSON that a definition file would hold, so that the same rules hold for both. What is wrong then
//! is said about the flag and not about JSON that nobody wrote.

use std::path::Path;

use rolebox::definition::{DefinitionError, Problem, TaskDefinition};
use serde_json::{Map, Value, json};

use crate::arguments::ComponentArguments;
use crate::failure::Failure;

/// The memory of a component whose flags do not say: room for guests of any language that we know.
const DEFAULT_MEMORY: i64 = 256;

/// The name for a component whose file's name has no letter that a name may have.
const DEFAULT_NAME: &str = "component";

/// The definition of a task that runs the component at `file`; relative paths are taken from `folder`.
pub(crate) fn definition(
    file: &Path,
    arguments: &ComponentArguments,
    folder: &Path,
) -> Result<TaskDefinition, Failure> {
    let document = document(file, arguments).map_err(Failure::flags)?;
    TaskDefinition::from_value(document, folder).map_err(|error| about_flags(&error))
}

/// The flags that were given but mean nothing beside a definition file, which says these things itself.
pub(crate) fn given(arguments: &ComponentArguments) -> Vec<&'static str> {
    [
        ("--task-role-arn", arguments.task_role_arn.is_some()),
        ("--capability", !arguments.capabilities.is_empty()),
        ("--allow-host", !arguments.allow_hosts.is_empty()),
        ("--env", !arguments.environment.is_empty()),
        ("--memory", arguments.memory.is_some()),
        ("--cpu", arguments.cpu.is_some()),
        ("--timeout", arguments.timeout.is_some()),
        ("--port", arguments.port.is_some()),
        ("--volume", !arguments.volumes.is_empty()),
        ("arguments after --", !arguments.arguments.is_empty()),
    ]
    .into_iter()
    .filter_map(|(name, given)| given.then_some(name))
    .collect()
}

/// The folders of the host that `--volume` names.
pub(crate) fn volume_folders(arguments: &ComponentArguments) -> impl Iterator<Item = &Path> {
    arguments.volumes.iter().filter_map(|volume| volume_parts(volume)).map(|(source, _, _)| Path::new(source))
}

fn document(file: &Path, arguments: &ComponentArguments) -> Result<Value, Vec<Problem>> {
    let mut problems = Vec::new();
    let capabilities = each(&arguments.capabilities, "--capability", &mut problems, capability);
    let egress = each(&arguments.allow_hosts, "--allow-host", &mut problems, |host| Ok(json!(with_port(host))));
    let environment = each(&arguments.environment, "--env", &mut problems, variable);
    let volumes = each(&arguments.volumes, "--volume", &mut problems, |text| {
        volume_parts(text)
            .map(|(source, path, read_only)| json!([source, path, read_only]))
            .ok_or("has no folder, or no path of the task's. Write SRC:DST or SRC:DST:ro.")
    });
    let image = file.to_str();
    if image.is_none() {
        problems.push(problem("COMPONENT", file, "is no UTF-8. Give the file another name."));
    }
    if !problems.is_empty() {
        return Err(problems);
    }

    let name = name(file);
    let mount_points: Vec<_> = volumes
        .iter()
        .enumerate()
        .map(|(index, volume)| {
            json!({"sourceVolume": format!("volume-{index}"), "containerPath": volume[1], "readOnly": volume[2]})
        })
        .collect();
    let volumes: Vec<_> = volumes
        .iter()
        .enumerate()
        .map(|(index, volume)| json!({"name": format!("volume-{index}"), "host": {"sourcePath": volume[0]}}))
        .collect();
    let mut container = Map::from_iter([
        ("name".to_owned(), json!(name)),
        ("image".to_owned(), json!(image)),
        ("memory".to_owned(), json!(arguments.memory.unwrap_or(DEFAULT_MEMORY))),
        ("command".to_owned(), json!(arguments.arguments)),
        ("environment".to_owned(), json!(environment)),
        ("mountPoints".to_owned(), json!(mount_points)),
    ]);
    if let Some(cpu) = arguments.cpu {
        container.insert("cpu".to_owned(), json!(cpu));
    }
    if let Some(port) = arguments.port {
        // The container's own port has no effect where the host's is said.
        container.insert("portMappings".to_owned(), json!([{"containerPort": 80, "hostPort": port}]));
    }
    Ok(json!({
        "family": name,
        "taskRoleArn": arguments.task_role_arn,
        "containerDefinitions": [container],
        "volumes": volumes,
        "rolebox": {"capabilities": capabilities, "egress": egress, "timeout": arguments.timeout},
    }))
}

fn each(
    values: &[String],
    flag: &str,
    problems: &mut Vec<Problem>,
    parse: impl Fn(&str) -> Result<Value, &'static str>,
) -> Vec<Value> {
    let mut parsed = Vec::new();
    for value in values {
        match parse(value) {
            Ok(value) => parsed.push(value),
            Err(wrong) => problems.push(problem(flag, Path::new(value), wrong)),
        }
    }
    parsed
}

fn problem(flag: &str, value: &Path, wrong: &str) -> Problem {
    let (what, mend) = wrong.split_once(". ").unwrap_or((wrong, ""));
    Problem::new(flag, format!("{:?} {what}", value.to_string_lossy()), mend)
}

/// `ACTION[,ACTION]=ARN`. Actions have no `=`; ARNs may.
fn capability(text: &str) -> Result<Value, &'static str> {
    let (actions, arn) = text
        .split_once('=')
        .ok_or("has no =. Write ACTION[,ACTION]=ARN, for example s3:GetObject=arn:aws:s3:::bucket/*.")?;
    let actions: Vec<_> = actions.split(',').collect();
    Ok(json!({"action": actions, "resource": [arn]}))
}

/// `NAME=VALUE`; the value may hold `=`.
fn variable(text: &str) -> Result<Value, &'static str> {
    let (name, value) = text.split_once('=').ok_or("has no =. Write NAME=VALUE.")?;
    Ok(json!({"name": name, "value": value}))
}

/// `HOST[:PORT]` with the port of its scheme where it has none.
pub(crate) fn with_port(host: &str) -> String {
    let (name, port) = match host.strip_prefix("http://") {
        Some(name) => (name, 80),
        None => (host, 443),
    };
    if name.contains(':') { host.to_owned() } else { format!("{host}:{port}") }
}

/// `SRC:DST[:ro]`, from its end, since a folder's name may hold a colon.
fn volume_parts(text: &str) -> Option<(&str, &str, bool)> {
    let (rest, read_only) = match text.strip_suffix(":ro") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (source, path) = rest.rsplit_once(':')?;
    (!source.is_empty() && !path.is_empty()).then_some((source, path, read_only))
}

/// A family and container name from the file's.
fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' })
        .take(255)
        .collect();
    let name = name.trim_matches('-');
    if name.is_empty() { DEFAULT_NAME.to_owned() } else { name.to_owned() }
}

/// A definition's problems, said about the flags that it was made from.
fn about_flags(error: &DefinitionError) -> Failure {
    let problems = error.problems();
    if problems.is_empty() {
        return Failure::because(error.to_string());
    }
    Failure::flags(
        problems
            .iter()
            .map(|problem| {
                // What a key is called in a definition, the flag is called here.
                let mend = problem
                    .mend
                    .replace("taskRoleArn", "--task-role-arn")
                    .replace("rolebox.capabilities", "--capability")
                    .replace("remove this key", "leave this flag out");
                Problem::new(flag_of(&problem.path), problem.what.clone(), mend)
            })
            .collect(),
    )
}

/// The flag that became the value at `path` of the definition.
pub(crate) fn flag_of(path: &str) -> String {
    const FLAGS: [(&str, &str); 11] = [
        ("taskRoleArn", "--task-role-arn"),
        ("containerDefinitions[0].image", "COMPONENT"),
        ("containerDefinitions[0].memory", "--memory"),
        ("containerDefinitions[0].cpu", "--cpu"),
        ("containerDefinitions[0].environment", "--env"),
        ("containerDefinitions[0].mountPoints", "--volume"),
        ("containerDefinitions[0].portMappings", "--port"),
        ("containerDefinitions[0].command", "the argument after --"),
        ("volumes", "--volume"),
        ("rolebox.egress", "--allow-host"),
        ("rolebox.timeout", "--timeout"),
    ];
    if path.starts_with("rolebox.capabilities") {
        return "--capability".to_owned();
    }
    FLAGS
        .into_iter()
        .find(|(prefix, _)| path.starts_with(prefix))
        .map_or_else(|| path.to_owned(), |(_, flag)| flag.to_owned())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn parse(file: &str, arguments: &ComponentArguments) -> Result<TaskDefinition, Failure> {
        definition(Path::new(file), arguments, Path::new("/here"))
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn flags_make_a_definition() {
        let arguments = ComponentArguments {
            task_role_arn: Some("arn:aws:iam::123456789012:role/app".to_owned()),
            capabilities: texts(&["s3:GetObject,s3:PutObject=arn:aws:s3:::bucket/a=b/*"]),
            allow_hosts: texts(&["a.example.com", "b.example.com:8443", "http://c.example.com"]),
            environment: texts(&["A=b=c", "EMPTY="]),
            memory: Some(64),
            cpu: Some(512),
            timeout: Some("5m".to_owned()),
            port: Some(8080),
            volumes: texts(&["data:/data", "/srv/a:b:/b:ro"]),
            arguments: texts(&["one", "--two"]),
        };
        let definition = parse("out/my app.wasm", &arguments).expect("a definition");
        assert_eq!(definition.family(), "my-app");
        assert_eq!(definition.timeout().as_secs(), 300);
        let container = &definition.containers()[0];
        assert_eq!(container.image().to_string(), "/here/out/my app.wasm");
        assert_eq!(container.arguments(), ["my app.wasm", "one", "--two"]);
        assert_eq!((container.memory().get(), container.cpu()), (64, 512));
        assert_eq!(container.environment()[0], ("A".to_owned(), "b=c".to_owned()));
        assert_eq!(container.environment()[1], ("EMPTY".to_owned(), String::new()));
        let mounts: Vec<_> = container
            .mount_points()
            .iter()
            .map(|mount| (mount.source_volume(), mount.container_path(), mount.read_only()))
            .collect();
        assert_eq!(mounts, [("volume-0", "/data", false), ("volume-1", "/b", true)]);
        let folders: Vec<_> = definition.volumes().iter().map(|volume| volume.source_path()).collect();
        assert_eq!(folders, [Path::new("/here/data"), Path::new("/srv/a:b")]);
        assert_eq!(container.port_mapping().expect("a mapping").host_port(), 8080);
        let egress: Vec<_> = definition.egress().iter().map(ToString::to_string).collect();
        assert_eq!(egress, ["a.example.com:443", "b.example.com:8443", "http://c.example.com:80"]);
        assert_eq!(definition.task_role().expect("a role").capabilities().len(), 1);
    }

    #[test]
    fn without_flags_there_is_no_role() {
        let definition = parse("ü.wasm", &ComponentArguments::default()).expect("a definition");
        assert!(definition.task_role().is_none());
        assert_eq!(definition.family(), "component");
        assert_eq!(definition.containers()[0].memory().get(), 256);
    }

    fn refuse(arguments: ComponentArguments, expected: Expect) {
        let failure = parse("app.wasm", &arguments).expect_err("a mistake");
        assert_eq!(failure.exit_code(), 125);
        expected.assert_eq(&failure.to_string());
    }

    #[test]
    #[rustfmt::skip] // `expect!` can't update itself where it is broken into lines.
    fn mistakes_are_said_about_flags() {
        let default = ComponentArguments::default;
        refuse(
            ComponentArguments { capabilities: texts(&["s3:GetObject"]), ..default() },
            expect![[r#"--capability: "s3:GetObject" has no =. Write ACTION[,ACTION]=ARN, for example s3:GetObject=arn:aws:s3:::bucket/*."#]],
        );
        refuse(
            ComponentArguments { capabilities: texts(&["s3:GetObject=arn:aws:s3:::b/*"]), ..default() },
            expect!["--capability: the task has no role. Name one in --task-role-arn, or leave this flag out: without a role there are no AWS calls."],
        );
        refuse(
            ComponentArguments { task_role_arn: Some("app".to_owned()), ..default() },
            expect!["--task-role-arn: `app` does not begin with `arn:`. Give the role's full ARN: arn:aws:iam::ACCOUNT:role/NAME."],
        );
        refuse(
            ComponentArguments { environment: texts(&["A", "=b"]), volumes: texts(&["data", ":/x"]), ..default() },
            expect![[r#"
                the flags make no task:
                  --env: "A" has no =. Write NAME=VALUE.
                  --volume: "data" has no folder, or no path of the task's. Write SRC:DST or SRC:DST:ro.
                  --volume: ":/x" has no folder, or no path of the task's. Write SRC:DST or SRC:DST:ro."#]],
        );
        refuse(
            ComponentArguments { environment: texts(&["=b", "AWS_SESSION_TOKEN=x"]), ..default() },
            expect![[r#"
                the flags make no task:
                  --env: the variable has no name. Give it one.
                  --env: AWS_SESSION_TOKEN holds credentials, and a task never holds a key. Remove it: the host signs the task's calls with its role, and sets placeholders for SDKs."#]],
        );
        refuse(
            ComponentArguments { volumes: texts(&["data:data"]), memory: Some(-1), cpu: Some(-1), port: Some(65_536), ..default() },
            expect![[r#"
                the flags make no task:
                  --cpu: -1 CPU units are out of range. Give 0 to 262144; 1024 stand for one core.
                  --memory: -1 MiB are out of range. Give 4 to 4096 MiB.
                  --volume: "data" is not a plain absolute path. Begin with a slash; leave out ".", "..", doubled slashes and the last slash.
                  --port: 65536 is not a port. Give 1 to 65535, or 0 for a free one."#]],
        );
        refuse(
            ComponentArguments {
                allow_hosts: texts(&["s3.amazonaws.com", "127.0.0.1", "*.example.com"]),
                timeout: Some("soon".to_owned()),
                arguments: texts(&["\0"]),
                ..default()
            },
            expect![[r#"
                the flags make no task:
                  the argument after --: the argument holds a NUL. Remove it.
                  --allow-host: "s3.amazonaws.com:443" is an AWS host name. Remove it: AWS is called under --capability. Only endpoints of your own, ID.execute-api.REGION.amazonaws.com or ID.lambda-url.REGION.on.aws, may stand here.
                  --allow-host: "127.0.0.1:443" is an address. Name the host: what a name leads to is checked when it is connected to.
                  --allow-host: "*.example.com:443" has a wildcard. Name each host by itself.
                  --timeout: "soon" is not a duration. Write whole numbers with h, m, s or ms, the largest unit first: "60s", "1h30m"."#]],
        );
    }

    #[test]
    fn flags_beside_a_definition_are_known() {
        let arguments = ComponentArguments { cpu: Some(1), arguments: texts(&["x"]), ..ComponentArguments::default() };
        assert_eq!(given(&arguments), ["--cpu", "arguments after --"]);
    }
}
