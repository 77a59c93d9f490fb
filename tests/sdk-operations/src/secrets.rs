//! AWS Secrets Manager: a secret's life.

use aws_sdk_secretsmanager::Client;

use crate::Transcript;

/// Makes a secret of this name, reads it, changes it and deletes it.
pub async fn secret(secrets: &Client, name: &str) -> Transcript {
    let mut transcript = Transcript::default();
    let get = || secrets.get_secret_value().secret_id(name);
    transcript.whole("GetSecretValue of none", get().send().await);
    let created = secrets.create_secret().name(name).secret_string("correct horse battery staple").send().await;
    transcript.made_up(created.as_ref().ok().and_then(|created| created.arn()), "ARN");
    transcript.made_up(created.as_ref().ok().and_then(|created| created.version_id()), "VERSION-1");
    transcript.whole("CreateSecret", created);
    transcript.whole("CreateSecret again", secrets.create_secret().name(name).secret_string("x").send().await);
    read(&mut transcript, secrets, name).await;
    let put = secrets.put_secret_value().secret_id(name).secret_string("another").send().await;
    transcript.made_up(put.as_ref().ok().and_then(|put| put.version_id()), "VERSION-2");
    transcript.whole("PutSecretValue", put);
    read(&mut transcript, secrets, name).await;
    let described = secrets.describe_secret().secret_id(name).send().await;
    transcript.part("DescribeSecret", described, |described| {
        format!("{:?}, rotation: {:?}", described.name(), described.rotation_enabled())
    });
    let listed = secrets.list_secrets().send().await;
    transcript.part("ListSecrets", listed, |listed| {
        format!("{:?}", listed.secret_list().iter().map(|secret| secret.name()).collect::<Vec<_>>())
    });
    let deleted = secrets.delete_secret().secret_id(name).force_delete_without_recovery(true).send().await;
    transcript.whole("DeleteSecret", deleted);
    transcript.whole("DescribeSecret of none", secrets.describe_secret().secret_id(name).send().await);
    transcript
}

/// A secret's value, for a task that may not have it.
pub async fn denied(secrets: &Client, name: &str) -> Transcript {
    let mut transcript = Transcript::default();
    transcript.whole("GetSecretValue", secrets.get_secret_value().secret_id(name).send().await);
    transcript
}

/// The value is written in full, since it is a test's; the SDK's own text leaves it out.
async fn read(transcript: &mut Transcript, secrets: &Client, name: &str) {
    let read = secrets.get_secret_value().secret_id(name).send().await;
    transcript.part("GetSecretValue", read, |read| format!("{:?}: {read:?}", read.secret_string()));
}
