//! Every key that a task definition may have, ours and ECS's.
//!
//! ECS's are those of `RegisterTaskDefinition` and of the `TaskDefinition` that `DescribeTaskDefinition` answers with, in
//! the ECS service model 2014-11-13 as botocore 1.44.8 has it. A key that ECS adds later is unknown here, so refused.

use super::keys::{Key, Level, Verdict};

/// All levels: where a key that stands in the wrong place is looked for.
pub(super) const LEVELS: &[&Level] = &[
    &TASK,
    &CONTAINER,
    &VOLUME,
    &HOST,
    &ENVIRONMENT,
    &MOUNT_POINT,
    &PORT_MAPPING,
    &DEPENDENCY,
    &ROLEBOX,
    &LIMITS,
    &CAPABILITY,
];

const fn used(name: &'static str) -> Key {
    Key { name, verdict: Verdict::Used }
}

const fn object(name: &'static str, level: &'static Level) -> Key {
    Key { name, verdict: Verdict::Object(level) }
}

const fn list(name: &'static str, level: &'static Level) -> Key {
    Key { name, verdict: Verdict::List(level) }
}

const fn inspected(name: &'static str, level: &'static Level) -> Key {
    Key { name, verdict: Verdict::Inspected(level) }
}

const fn ignored(name: &'static str, why: &'static str) -> Key {
    Key { name, verdict: Verdict::Ignored(why) }
}

const fn refused(name: &'static str, why: &'static str, mend: &'static str) -> Key {
    refused_unless(name, &[], why, mend)
}

const fn refused_unless(
    name: &'static str,
    harmless: &'static [&'static str],
    why: &'static str,
    mend: &'static str,
) -> Key {
    Key { name, verdict: Verdict::Refused { why, mend, harmless } }
}

const REMOVE: &str = "Remove the key.";
const DESCRIBED: &str = "ECS's own record of the registered revision";
const ONE_HOST: &str = "there is one container instance to place the task on";
const USE_HOST_VOLUME: &str = "Name a folder of the host in \"host\": {\"sourcePath\": …}.";
const NAME_IN_EGRESS: &str = "Remove the key; hosts that the task may reach stand in rolebox.egress.";

pub(super) const TASK: Level = Level {
    name: "the task definition",
    keys: &[
        used("family"),
        used("taskRoleArn"),
        used("executionRoleArn"),
        used("cpu"),
        used("memory"),
        list("containerDefinitions", &CONTAINER),
        list("volumes", &VOLUME),
        object("rolebox", &ROLEBOX),
        ignored(
            "networkMode",
            "a task has no network of its own: what it reaches stands in rolebox.egress and its capabilities",
        ),
        ignored("placementConstraints", ONE_HOST),
        ignored("requiresCompatibilities", "there is one launch type"),
        ignored("runtimePlatform", "a component runs on every architecture"),
        ignored("tags", "tags of the task definition are ECS's to keep"),
        refused_unless("pidMode", &[], "tasks have no processes, so no process namespace to share", REMOVE),
        refused_unless(
            "ipcMode",
            &["none"],
            "tasks have no IPC resources to share",
            "Remove the key, or say \"none\".",
        ),
        refused("proxyConfiguration", "there is no App Mesh proxy", REMOVE),
        refused("inferenceAccelerators", "no accelerator is given to a task", REMOVE),
        refused(
            "ephemeralStorage",
            "a task has no disk of its own",
            "Remove the key; a task that needs files mounts a volume.",
        ),
        refused("enableFaultInjection", "there is no fault injection endpoint", REMOVE),
        refused("trustedExecutionConfiguration", "there is no attestation and no hardware isolation", REMOVE),
        // Printed by describe-task-definition, not taken by register-task-definition.
        ignored("taskDefinitionArn", DESCRIBED),
        ignored("revision", DESCRIBED),
        ignored("status", DESCRIBED),
        ignored("compatibilities", DESCRIBED),
        ignored("requiresAttributes", DESCRIBED),
        ignored("registeredAt", DESCRIBED),
        ignored("registeredBy", DESCRIBED),
        ignored("deregisteredAt", DESCRIBED),
        ignored("deleteRequestedAt", DESCRIBED),
    ],
};

pub(super) const CONTAINER: Level = Level {
    name: "a container definition",
    keys: &[
        used("name"),
        used("image"),
        used("cpu"),
        used("memory"),
        used("essential"),
        used("entryPoint"),
        used("command"),
        list("environment", &ENVIRONMENT),
        list("mountPoints", &MOUNT_POINT),
        list("portMappings", &PORT_MAPPING),
        list("dependsOn", &DEPENDENCY),
        used("dockerLabels"),
        ignored("memoryReservation", "only the hard limit, memory, is kept; nothing is reserved"),
        ignored("logConfiguration", "the task's output passes through the runner's own stdout and stderr"),
        ignored(
            "stopTimeout",
            "a guest takes no signals: a command is stopped at once, and requests in flight get 5 s",
        ),
        ignored("versionConsistency", "an image is always the file or digest that was loaded"),
        ignored("hostname", "a guest cannot ask for its host name"),
        ignored("user", "a guest is no user of the host"),
        ignored("readonlyRootFilesystem", "a guest has no root file system"),
        inspected("linuxParameters", &LINUX_PARAMETERS),
        refused("repositoryCredentials", "the credentials of registries are the operator's", REMOVE),
        refused("links", "containers of a task share no network", REMOVE),
        refused("restartPolicy", "a container that ended is not started again", REMOVE),
        refused(
            "environmentFiles",
            "files of environment variables are not fetched",
            "Write the variables into environment.",
        ),
        refused(
            "volumesFrom",
            "a container takes no mounts over from another",
            "Repeat the other container's mountPoints.",
        ),
        refused(
            "secrets",
            "secrets are not delivered yet",
            "Remove them, and let the task read the secret itself under a capability on secretsmanager:GetSecretValue.",
        ),
        refused(
            "startTimeout",
            "waiting for dependencies has no limit of its own",
            "Remove the key; rolebox.timeout bounds the whole task.",
        ),
        refused_unless(
            "workingDirectory",
            &["/"],
            "a guest's working directory is always /",
            "Remove the key, and name files by their absolute paths.",
        ),
        refused(
            "disableNetworking",
            "it would also end the task's signed AWS calls",
            "Remove the key; a task without capabilities and rolebox.egress reaches nothing.",
        ),
        refused("privileged", "a guest runs in a sandbox and is given no privilege of the host", REMOVE),
        refused("dnsServers", "names are resolved by the host", NAME_IN_EGRESS),
        refused("dnsSearchDomains", "names are resolved by the host", NAME_IN_EGRESS),
        refused("extraHosts", "names are resolved by the host", NAME_IN_EGRESS),
        refused("dockerSecurityOptions", "no Docker runs the task", REMOVE),
        refused("interactive", "a task has no standard input", REMOVE),
        refused("pseudoTerminal", "a task has no terminal", REMOVE),
        refused(
            "ulimits",
            "a guest has none of the kernel's limits",
            "Remove the key; the limits here are memory, rolebox.timeout and rolebox.limits.",
        ),
        refused("healthCheck", "no health check is run", REMOVE),
        refused("systemControls", "a guest has no kernel parameters", REMOVE),
        refused("resourceRequirements", "no accelerator is given to a task", REMOVE),
        refused("firelensConfiguration", "no log router is run", REMOVE),
        refused("credentialSpecs", "there is no Active Directory for a task", REMOVE),
    ],
};

const LINUX_PARAMETERS: Level = Level {
    name: "linuxParameters",
    keys: &[
        inspected("capabilities", &KERNEL_CAPABILITIES),
        ignored("initProcessEnabled", "a task has no processes"),
        ignored("maxSwap", "a guest's memory is not swapped by container"),
        ignored("swappiness", "a guest's memory is not swapped by container"),
        refused("devices", "no device is given to a task", REMOVE),
        refused("sharedMemorySize", "there is no /dev/shm", REMOVE),
        refused(
            "tmpfs",
            "a task has no file system but its volumes",
            "Remove the key; a task that needs files mounts a volume.",
        ),
    ],
};

const KERNEL_CAPABILITIES: Level = Level {
    name: "linuxParameters.capabilities",
    keys: &[
        ignored("drop", "a guest has none of the kernel's capabilities to drop"),
        refused("add", "a guest is given none of the kernel's capabilities", REMOVE),
    ],
};

pub(super) const VOLUME: Level = Level {
    name: "a volume",
    keys: &[
        used("name"),
        object("host", &HOST),
        refused("dockerVolumeConfiguration", "no Docker runs the task", USE_HOST_VOLUME),
        refused("efsVolumeConfiguration", "EFS is not mounted", USE_HOST_VOLUME),
        refused("s3filesVolumeConfiguration", "S3 Files is not mounted", USE_HOST_VOLUME),
        refused("fsxWindowsFileServerVolumeConfiguration", "FSx is not mounted", USE_HOST_VOLUME),
        refused("configuredAtLaunch", "EBS volumes are not attached", USE_HOST_VOLUME),
    ],
};

pub(super) const HOST: Level = Level { name: "a volume's host", keys: &[used("sourcePath")] };

pub(super) const ENVIRONMENT: Level = Level { name: "an environment variable", keys: &[used("name"), used("value")] };

pub(super) const MOUNT_POINT: Level =
    Level { name: "a mount point", keys: &[used("sourceVolume"), used("containerPath"), used("readOnly")] };

pub(super) const PORT_MAPPING: Level = Level {
    name: "a port mapping",
    keys: &[
        used("containerPort"),
        used("hostPort"),
        used("protocol"),
        used("appProtocol"),
        ignored("name", "there is no Service Connect that would call the port by it"),
        refused("containerPortRange", "a container's requests come in on one port", "Name that one in containerPort."),
    ],
};

pub(super) const DEPENDENCY: Level = Level { name: "a dependency", keys: &[used("containerName"), used("condition")] };

/// The object under the key `rolebox`.
pub(super) const ROLEBOX: Level = Level {
    name: "rolebox",
    keys: &[
        list("capabilities", &CAPABILITY),
        used("egress"),
        used("timeout"),
        used("sessionPolicy"),
        used("roleSession"),
        used("sessionDuration"),
        used("externalId"),
        used("sourceIdentity"),
        used("sessionTags"),
        used("unsignedPayload"),
        used("cpuLimit"),
        object("limits", &LIMITS),
    ],
};

/// The object under `rolebox.limits`.
pub(super) const LIMITS: Level = Level {
    name: "rolebox.limits",
    keys: &[
        used("outputBytes"),
        used("bodyBytes"),
        used("callsInFlight"),
        used("callsPerSecond"),
        used("totalBytes"),
        used("callTimeout"),
        used("cpuTime"),
        used("openFiles"),
        used("connections"),
        used("requestsInFlight"),
    ],
};

/// One of `rolebox.capabilities`; `rolebox_policy` reads it.
pub(super) const CAPABILITY: Level = Level {
    name: "a capability",
    keys: &[
        used("action"),
        used("resource"),
        used("account"),
        used("prefix"),
        used("leadingKeys"),
        used("via"),
        used("region"),
    ],
};
