//! moto's server, with users and roles whose policies it enforces.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::{PeerError, Peers};

/// Makes users and roles by boto3. It reads what to make as JSON and writes the users' keys as JSON.
const SET_UP: &str = r#"
import boto3, json, sys

wanted = json.load(sys.stdin)
iam = boto3.client("iam", endpoint_url=wanted["endpoint"], region_name="us-east-1",
                   aws_access_key_id="setup", aws_secret_access_key="setup")
keys = []
for user in wanted["users"]:
    iam.create_user(UserName=user["name"])
    for index, policy in enumerate(user["policies"]):
        iam.put_user_policy(UserName=user["name"], PolicyName=f"policy-{index}", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user["name"])["AccessKey"]
    keys.append({"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]})
for role in wanted["roles"]:
    iam.create_role(RoleName=role["name"], AssumeRolePolicyDocument=json.dumps(role["trustPolicy"]))
    for index, policy in enumerate(role["policies"]):
        iam.put_role_policy(RoleName=role["name"], PolicyName=f"policy-{index}", PolicyDocument=json.dumps(policy))
json.dump(keys, sys.stdout)
"#;

/// A running moto. It is killed when this is dropped.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    address: SocketAddr,
    peers: Peers,
}

/// A user to make.
#[derive(Clone, Debug)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its inline policies.
    pub policies: Vec<Value>,
}

/// A role to make.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Who may assume it. moto 5 compares the principal with the caller's ARN and nothing else, so this must name the user
    /// in full, `arn:aws:iam::123456789012:user/NAME`: the account's root means nothing to it, and a `Service` alone makes
    /// it fail with status 500.
    pub trust_policy: Value,
    /// Its inline policies.
    pub policies: Vec<Value>,
}

/// A user's key, good for moto only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: String,
}

impl Peers {
    /// Starts moto on a free port of the loopback. It checks no signatures and enforces no policies yet.
    ///
    /// # Errors
    /// When it does not start.
    pub fn moto(&self) -> Result<Moto, PeerError> {
        let program = self.program("moto_server");
        let mut child = Command::new(&program)
            // Port 0 lets the system choose, and the server tells what it chose: no port can be taken in between.
            .args(["--host", "127.0.0.1", "--port", "0"])
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| PeerError::Run {
                program: program.display().to_string(),
                mend: "delete the folder `peers` in the target folder to install it anew",
                source,
            })?;
        let mut written = String::new();
        let address = child.stderr.take().and_then(|stderr| {
            let mut lines = BufReader::new(stderr);
            let address = loop {
                let start = written.len();
                if lines.read_line(&mut written).unwrap_or_default() == 0 {
                    break None;
                }
                if let Some((_, address)) = written[start..].split_once("Running on http://") {
                    break address.trim().parse().ok();
                }
            };
            // It logs each request; a pipe that nobody reads would stop it.
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
            address
        });
        match address {
            Some(address) => Ok(Moto { child, address, peers: self.clone() }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(PeerError::NotStarted(written))
            }
        }
    }
}

impl Moto {
    /// `http://127.0.0.1:PORT`, for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes users and roles; returns a key for each user, in order. To be called before
    /// [`enforce`](Self::enforce), since nobody may do this afterwards.
    ///
    /// # Errors
    /// When moto refuses one.
    pub fn set_up(&self, users: &[User], roles: &[Role]) -> Result<Vec<AccessKey>, PeerError> {
        let users: Vec<Value> =
            users.iter().map(|user| json!({"name": user.name, "policies": user.policies})).collect();
        let roles: Vec<Value> = roles
            .iter()
            .map(|role| json!({"name": role.name, "trustPolicy": role.trust_policy, "policies": role.policies}))
            .collect();
        let wanted = json!({"endpoint": self.endpoint(), "users": users, "roles": roles});
        let output = self.python(SET_UP, &wanted.to_string())?;
        let keys: Vec<Value> =
            serde_json::from_str(&output).map_err(|error| PeerError::Answer(format!("{output}: {error}")))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(keys.iter().map(|key| AccessKey { id: text(&key["id"]), secret: text(&key["secret"]) }).collect())
    }

    /// Turns on the check of signatures and policies
    /// (<https://docs.getmoto.org/en/latest/docs/iam.html>).
    ///
    /// # Errors
    /// When moto does not answer as expected.
    pub fn enforce(&self) -> Result<(), PeerError> {
        self.post_text("/moto-api/reset-auth", "0").map(|_| ())
    }

    /// Forgets all data, users and roles.
    ///
    /// # Errors
    /// When moto does not answer as expected.
    pub fn reset(&self) -> Result<(), PeerError> {
        self.post_text("/moto-api/reset", "").map(|_| ())
    }

    /// Runs a Python script of the caller's in the peers' environment, `input` on its stdin; returns its stdout.
    ///
    /// # Errors
    /// When it ends with an error.
    pub fn python(&self, script: &str, input: &str) -> Result<String, PeerError> {
        let program = self.peers.program("python");
        let failed = |source| PeerError::Run {
            program: program.display().to_string(),
            mend: "delete the folder `peers` in the target folder to install it anew",
            source,
        };
        let mut child = Command::new(&program)
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).map_err(failed)?;
        }
        let output = child.wait_with_output().map_err(failed)?;
        if !output.status.success() {
            return Err(PeerError::Failed {
                what: "a script".into(),
                status: output.status,
                mend: "its messages follow",
                output: String::from_utf8_lossy(&output.stderr).into_owned(),
            });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Posts text and returns the answer's body, which must have status 200.
    fn post_text(&self, path: &str, text: &str) -> Result<String, PeerError> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            self.address,
            text.len()
        );
        let mut answer = String::new();
        TcpStream::connect(self.address)
            .and_then(|mut stream| {
                stream.write_all(request.as_bytes())?;
                stream.read_to_string(&mut answer)
            })
            .map_err(|error| PeerError::Answer(error.to_string()))?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.0 200") => {
                Ok(body.into())
            }
            _ => Err(PeerError::Answer(answer)),
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
