//! AssumeRole: validation, the decision, and the session.
//!
//! Limits and alphabets are those of <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.

use std::sync::Arc;

use rolebox_policy::{AccessRequest, Arn, Context, PolicyDocument, SESSION_POLICY_LIMIT};
use time::Duration;

use super::error::StsError;
use super::parameters::Parameters;
use super::{Call, Sts};
use crate::answer::escape_xml;
use crate::credentials::{session_arn, session_principal};
use crate::principal::{DenialReason, Principal, RoleSession, rfc3339};
use crate::roles::Role;
use crate::{ACCOUNT, managed};

const DEFAULT_DURATION: u32 = 3_600;
const DURATION: std::ops::RangeInclusive<u32> = 900..=43_200;
/// The longest session that another session may ask for.
const MAX_CHAINED_DURATION: u32 = 3_600;
const MAX_TAGS: usize = 50;
const MAX_POLICY_ARNS: usize = 10;
/// AWS packs policies and tags into a binary form of a size that it does not publish. This emulator counts their letters
/// and takes as many as a policy alone may have, so tags next to a long policy do not fit, as they would not in AWS.
const PACKED_LIMIT: usize = SESSION_POLICY_LIMIT;
/// What the share of a token's greatest size is counted from. Tokens here are all of one size, since they hold nothing.
const MAX_TOKEN_BYTES: usize = 4_096;

/// The request, validated.
struct Input {
    role_arn: String,
    session_name: String,
    duration: u32,
    policy: Option<String>,
    policy_arns: Vec<String>,
    external_id: Option<String>,
    source_identity: Option<String>,
    tags: Vec<(String, String)>,
    transitive_tag_keys: Vec<String>,
}

impl Sts<'_> {
    /// Gives out a session of a role.
    pub(super) fn assume_role(self, call: Call<'_>) -> Result<String, StsError> {
        let caller = &call.principal;
        let mut input = Input::from_parameters(call.parameters)?;
        inherit(&mut input, caller)?;

        let mut context = caller.context(&call.facts);
        input.add_to(&mut context);
        let role = self.roles.by_arn(&input.role_arn);
        for action in input.actions() {
            if !role.is_some_and(|role| may_assume(caller, role, action, &context)) {
                return Err(StsError::denied(&caller.arn.to_string(), action, &input.role_arn));
            }
        }
        let Some(role) = role else {
            return Err(StsError::denied(&caller.arn.to_string(), "sts:AssumeRole", &input.role_arn));
        };

        if input.duration > role.max_session_seconds {
            return Err(StsError::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        if caller.session().is_some() && input.duration > MAX_CHAINED_DURATION {
            return Err(StsError::validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            ));
        }
        let session_policies = input.session_policies()?;
        let packed_percent = input.packed_percent()?;

        let expires = self.now + Duration::seconds(i64::from(input.duration));
        let session = RoleSession {
            role_arn: role.arn.clone(),
            name: input.session_name.clone(),
            issued: self.now,
            session_policies,
            source_identity: input.source_identity.clone(),
            tags: input.tags,
            transitive_tag_keys: input.transitive_tag_keys,
        };
        let principal = session_principal(&role.id, &role.name, role.policies.clone(), session);
        let credential = self.credentials.issue(principal, expires);
        let token = credential.session.as_ref().map(|key| key.token.expose()).unwrap_or_default();
        let source_identity = input
            .source_identity
            .map(|text| format!("<SourceIdentity>{}</SourceIdentity>", escape_xml(&text)))
            .unwrap_or_default();
        Ok(format!(
            "{source_identity}<AssumedRoleUser><AssumedRoleId>{}:{name}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
             <SessionToken>{token}</SessionToken><Expiration>{}</Expiration></Credentials>\
             <PackedPolicySize>{packed_percent}</PackedPolicySize>\
             <SessionTokenUtilization>{}</SessionTokenUtilization><SessionTokenSize>{}</SessionTokenSize>",
            role.id,
            session_arn(&role.name, &input.session_name),
            credential.access_key_id,
            credential.secret_access_key.expose(),
            rfc3339(expires),
            (token.len() * 100).div_ceil(MAX_TOKEN_BYTES),
            token.len(),
            name = input.session_name,
        ))
    }
}

/// Whether `caller` may do `action` on `role`: the trust policy must allow it, and so must the caller's own policies, unless
/// the trust policy names the caller itself. A trust policy that names the whole account leaves the choice to the account's
/// identity policies (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html>).
fn may_assume(caller: &Principal, role: &Role, action: &str, context: &Context) -> bool {
    let request = AccessRequest { action, resource: &role.arn, context };
    let trusts =
        |arn: &Arn| role.trust_policy.evaluate(&rolebox_policy::Principal::Aws(arn.clone()), &request).is_allowed();
    if !trusts(&caller.arn) {
        return false;
    }
    match caller.authorize(action, &role.arn, context) {
        Ok(()) => true,
        Err(DenialReason::IdentityPolicyDenies | DenialReason::SessionPolicyDenies) => false,
        Err(DenialReason::NoIdentityPolicyAllows | DenialReason::NoSessionPolicyAllows) => {
            !trusts(&account_root()) && caller.session_policies_allow(action, &role.arn, context)
        }
    }
}

fn account_root() -> Arn {
    Arn {
        partition: "aws".into(),
        service: "iam".into(),
        region: String::new(),
        account: ACCOUNT.into(),
        resource: "root".into(),
    }
}

/// What a session hands on to one that is assumed with it: its source identity and its transitive tags.
fn inherit(input: &mut Input, caller: &Principal) -> Result<(), StsError> {
    let Some(session) = caller.session() else {
        return Ok(());
    };
    if let Some(inherited) = &session.source_identity {
        if input.source_identity.as_ref().is_some_and(|asked| asked != inherited) {
            return Err(StsError::denied(&caller.arn.to_string(), "sts:SetSourceIdentity", &input.role_arn));
        }
        input.source_identity = Some(inherited.clone());
    }
    for key in &session.transitive_tag_keys {
        if input.tags.iter().any(|(asked, _)| asked.eq_ignore_ascii_case(key)) {
            return Err(StsError::new(
                http::StatusCode::BAD_REQUEST,
                "InvalidParameterValue",
                format!("The tag key {key} can't be set: it is a transitive tag key of the calling session."),
            ));
        }
        if let Some(tag) = session.tags.iter().find(|(name, _)| name == key) {
            input.tags.push(tag.clone());
            input.transitive_tag_keys.push(key.clone());
        }
    }
    Ok(())
}

impl Input {
    fn from_parameters(mut parameters: Parameters) -> Result<Self, StsError> {
        let role_arn = parameters.required("RoleArn")?;
        length("roleArn", &role_arn, 20, 2048)?;
        let session_name = parameters.required("RoleSessionName")?;
        length("roleSessionName", &session_name, 2, 64)?;
        alphabet("roleSessionName", &session_name, "+=,.@-", r"[\w+=,.@-]*")?;

        let duration = match parameters.take("DurationSeconds") {
            None => DEFAULT_DURATION,
            Some(text) => {
                let seconds = text.parse().map_err(|_| StsError::malformed("DurationSeconds is not a number"))?;
                if seconds < *DURATION.start() {
                    let bound = format!("have value greater than or equal to {}", DURATION.start());
                    return Err(StsError::constraint("durationSeconds", &text, &bound));
                }
                if seconds > *DURATION.end() {
                    let bound = format!("have value less than or equal to {}", DURATION.end());
                    return Err(StsError::constraint("durationSeconds", &text, &bound));
                }
                seconds
            }
        };

        let policy = parameters.take("Policy");
        if let Some(policy) = &policy {
            length("policy", policy, 1, SESSION_POLICY_LIMIT)?;
            if !policy.chars().all(|letter| matches!(letter, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}')) {
                let pattern = r"satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+";
                return Err(StsError::constraint("policy", policy, pattern));
            }
        }
        let policy_arns: Vec<String> =
            parameters.take_list("PolicyArns", ["arn"]).into_iter().filter_map(|[arn]| arn).collect();
        if policy_arns.len() > MAX_POLICY_ARNS {
            return Err(StsError::constraint("policyArns", "", "have length less than or equal to 10"));
        }
        let plain = policy.iter().chain(&policy_arns).map(|text| text.chars().count()).sum::<usize>();
        if plain > SESSION_POLICY_LIMIT {
            let bound = format!("have length less than or equal to {SESSION_POLICY_LIMIT}, together with policyArns");
            return Err(StsError::constraint("policy", policy.as_deref().unwrap_or_default(), &bound));
        }

        let external_id = parameters.take("ExternalId");
        if let Some(text) = &external_id {
            length("externalId", text, 2, 1224)?;
            alphabet("externalId", text, "+=,.@:/-", r"[\w+=,.@:\/-]*")?;
        }
        let source_identity = parameters.take("SourceIdentity");
        if let Some(text) = &source_identity {
            length("sourceIdentity", text, 2, 64)?;
            alphabet("sourceIdentity", text, "+=,.@-", r"[\w+=,.@-]*")?;
        }
        if parameters.take("SerialNumber").is_some() || parameters.take("TokenCode").is_some() {
            return Err(StsError::new(
                http::StatusCode::FORBIDDEN,
                "AccessDenied",
                "MultiFactorAuthentication failed: the embedded STS knows no MFA devices.",
            ));
        }

        let (tags, transitive_tag_keys) = tags_from(&mut parameters)?;
        parameters.finish()?;
        Ok(Self {
            role_arn,
            session_name,
            duration,
            policy,
            policy_arns,
            external_id,
            source_identity,
            tags,
            transitive_tag_keys,
        })
    }

    /// Every action that the request needs: tags and a source identity each need one of their own.
    fn actions(&self) -> impl Iterator<Item = &'static str> {
        [
            Some("sts:AssumeRole"),
            (!self.tags.is_empty()).then_some("sts:TagSession"),
            self.source_identity.as_ref().map(|_| "sts:SetSourceIdentity"),
        ]
        .into_iter()
        .flatten()
    }

    /// Adds AssumeRole's own condition keys.
    fn add_to(&self, context: &mut Context) {
        context.insert("aws:ResourceAccount", ACCOUNT);
        context.insert("sts:RoleSessionName", self.session_name.clone());
        if let Some(external_id) = &self.external_id {
            context.insert("sts:ExternalId", external_id.clone());
        }
        if let Some(source_identity) = &self.source_identity {
            context.insert("sts:SourceIdentity", source_identity.clone());
        }
        for (key, value) in &self.tags {
            context.insert(format!("aws:RequestTag/{key}"), value.clone());
        }
        context.insert_all("aws:TagKeys", self.tags.iter().map(|(key, _)| key.clone()));
        context.insert_all("sts:TransitiveTagKeys", self.transitive_tag_keys.iter().cloned());
    }

    /// The session's policies, parsed; `None` when the request has none.
    fn session_policies(&self) -> Result<Option<Vec<Arc<PolicyDocument>>>, StsError> {
        let mut texts: Vec<&str> = self.policy.as_deref().into_iter().collect();
        for arn in &self.policy_arns {
            let Some(managed) = managed::find(arn) else {
                let message = format!("Policy {arn} does not exist or is not attachable.");
                return Err(StsError::validation(message));
            };
            texts.push(managed.document);
        }
        if texts.is_empty() {
            return Ok(None);
        }
        let documents: Result<Vec<_>, StsError> = texts
            .into_iter()
            .map(|text| match PolicyDocument::parse(text) {
                Ok(document) => Ok(Arc::new(document)),
                Err(error) => {
                    Err(StsError::new(http::StatusCode::BAD_REQUEST, "MalformedPolicyDocument", error.to_string()))
                }
            })
            .collect();
        documents.map(Some)
    }

    /// How full the packed form is, in percent.
    fn packed_percent(&self) -> Result<usize, StsError> {
        let policy =
            self.policy.as_deref().unwrap_or_default().chars().filter(|letter| !letter.is_whitespace()).count();
        let arns: usize = self.policy_arns.iter().map(String::len).sum();
        let tags: usize = self.tags.iter().map(|(key, value)| key.len() + value.len()).sum();
        let percent = ((policy + arns + tags) * 100).div_ceil(PACKED_LIMIT);
        if percent > 100 {
            return Err(StsError::new(
                http::StatusCode::BAD_REQUEST,
                "PackedPolicyTooLarge",
                format!("Packed policy consumes {percent}% of allotted space, please use smaller policy."),
            ));
        }
        Ok(percent)
    }
}

type Tags = Vec<(String, String)>;

/// The session tags and the keys of those that are transitive.
fn tags_from(parameters: &mut Parameters) -> Result<(Tags, Vec<String>), StsError> {
    let letters_of_tags = |text: &str| {
        text.chars().all(|letter| letter.is_alphanumeric() || letter.is_whitespace() || "_.:/=+-@".contains(letter))
    };
    let mut tags: Tags = Vec::new();
    for [key, value] in parameters.take_list("Tags", ["Key", "Value"]) {
        let (Some(key), Some(value)) = (key, value) else {
            return Err(StsError::constraint("tags", "", "have a key and a value"));
        };
        length("tags.key", &key, 1, 128)?;
        length("tags.value", &value, 0, 256)?;
        if !letters_of_tags(&key) || !letters_of_tags(&value) {
            let pattern = r"satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]*";
            return Err(StsError::constraint("tags", &key, pattern));
        }
        let invalid = |message: &str| StsError::new(http::StatusCode::BAD_REQUEST, "InvalidParameterValue", message);
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(invalid("Tag keys that begin with aws: are reserved."));
        }
        if tags.iter().any(|(other, _)| other.eq_ignore_ascii_case(&key)) {
            return Err(invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
        }
        tags.push((key, value));
    }
    if tags.len() > MAX_TAGS {
        return Err(StsError::constraint("tags", "", "have length less than or equal to 50"));
    }
    let transitive: Vec<String> =
        parameters.take_list("TransitiveTagKeys", [""]).into_iter().filter_map(|[key]| key).collect();
    if let Some(key) = transitive.iter().find(|key| !tags.iter().any(|(tag, _)| tag == *key)) {
        return Err(StsError::new(
            http::StatusCode::BAD_REQUEST,
            "InvalidParameterValue",
            format!("The specified transitive tag key {key} must be included in the requested tags."),
        ));
    }
    Ok((tags, transitive))
}

/// Checks a length in characters.
fn length(parameter: &str, value: &str, least: usize, most: usize) -> Result<(), StsError> {
    let length = value.chars().count();
    let bound = if length < least {
        format!("have length greater than or equal to {least}")
    } else if length > most {
        format!("have length less than or equal to {most}")
    } else {
        return Ok(());
    };
    Err(StsError::constraint(parameter, value, &bound))
}

/// Checks that a value has only ASCII letters, digits, `_` and what is in `others`.
fn alphabet(parameter: &str, value: &str, others: &str, pattern: &str) -> Result<(), StsError> {
    if value.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || others.contains(letter)) {
        return Ok(());
    }
    Err(StsError::constraint(parameter, value, &format!("satisfy regular expression pattern: {pattern}")))
}
