//! What a request takes, which is what STS takes.

use super::*;

#[test]
fn texts_are_held_to_stss_alphabet_and_length() {
    let (n64, n65, n1224, n1225) = ("n".repeat(64), "n".repeat(65), "n".repeat(1224), "n".repeat(1225));
    // The text, and whether it is a session name, a source identity, an external id.
    for (text, name, identity, external) in [
        (TASK_ID, true, true, true),
        ("ab", true, true, true),
        ("Az09_+=,.@-", true, true, true),
        ("a:b/c", false, false, true),
        ("", false, false, false),
        ("a", false, false, false),
        ("a b", false, false, false),
        ("a\n", false, false, false),
        ("a\0b", false, false, false),
        ("a*b", false, false, false),
        ("caf\u{e9}", false, false, false),
        ("\u{661}\u{662}", false, false, false),
        (&n64, true, true, true),
        (&n65, false, false, true),
        (&n1224, false, false, true),
        (&n1225, false, false, false),
    ] {
        assert_eq!(SessionName::new(text).is_ok(), name, "{text:?}");
        assert_eq!(SourceIdentity::new(text).is_ok(), identity, "{text:?}");
        assert_eq!(ExternalId::new(text).is_ok(), external, "{text:?}");
    }
    let error = SessionName::new("a b\n").unwrap_err().to_string();
    assert_eq!(error, "the session name `a b\\n` is not valid: STS takes 2 to 64 letters, digits and _+=,.@-");
}

#[test]
fn durations_are_held_to_stss_bounds() {
    for (duration, is_valid) in [
        (Duration::ZERO, false),
        (Duration::from_secs(899), false),
        (Duration::from_secs(900), true),
        (Duration::from_millis(900_001), false),
        (Duration::from_secs(43_200), true),
        (Duration::from_nanos(43_200_000_000_001), false),
        (Duration::from_secs(43_201), false),
        (Duration::MAX, false),
    ] {
        assert_eq!(request().with_duration(duration).is_ok(), is_valid, "{duration:?}");
    }
}

#[test]
fn a_chained_session_is_asked_for_one_hour_at_most() {
    for (asked, chained) in [(900, 900), (3600, 3600), (3601, 3600), (43_200, 3600)] {
        let request = request().with_duration(Duration::from_secs(asked)).unwrap();
        assert_eq!(request.duration().as_secs(), asked);
        assert_eq!(request.with_base_identity(BaseIdentity::Chained).duration().as_secs(), chained);
    }
}

#[test]
fn tags_are_held_to_what_sts_takes() {
    let (k128, k129, v256, v257) = ("k".repeat(128), "k".repeat(129), "v".repeat(256), "v".repeat(257));
    for (tags, is_valid) in [
        (vec![], true),
        (vec![("cluster", "default"), ("family", "s3-sample"), ("task", TASK_ID)], true),
        (vec![("k", "")], true),
        (vec![("\u{e9}t\u{e9} _.:/=+-@", "\u{e9} _.:/=+-@")], true),
        (vec![(&*k128, &*v256)], true),
        (vec![("", "v")], false),
        (vec![(&*k129, "v")], false),
        (vec![("k", &*v257)], false),
        (vec![("aws:family", "v")], false),
        (vec![("AWS:family", "v")], false),
        (vec![("k", "a*b")], false),
        (vec![("k", "a\nb")], false),
        (vec![("k,", "v")], false),
        (vec![("k", "v"), ("k", "v")], false),
        (vec![("Key", "1"), ("kEY", "2")], false),
    ] {
        assert_eq!(request().with_tags(tags.clone()).is_ok(), is_valid, "{tags:?}");
    }
    let numbered = |count: usize| (0..count).map(|number| (format!("key{number}"), "v"));
    assert!(request().with_tags(numbered(50)).is_ok());
    assert_eq!(request().with_tags(numbered(51)), Err(RoleSessionRequestError::TooManyTags(51)));
}

#[test]
fn shared_sessions_are_named_after_family_and_revision() {
    let name = |family: &str, revision| SessionName::for_definition(family, revision).unwrap().to_string();
    assert_eq!(name("s3-sample", 3), "s3-sample@3");
    assert_eq!(name(&"f".repeat(53), u32::MAX), format!("{}@4294967295", "f".repeat(53)));
    // Families have up to 255 characters. Two that begin alike, and one that looks like a name that was cut.
    let (one, other) = (format!("{}a", "f".repeat(254)), format!("{}b", "f".repeat(254)));
    let (one, other) = (name(&one, u32::MAX), name(&other, u32::MAX));
    assert_ne!(one, other);
    assert!(one.len() <= 64 && one.starts_with("ffff") && one.ends_with("@4294967295"), "{one}");
    // ECS allows letters, digits, hyphens and underscores, so no family holds the dot or the `@`.
    assert!(one.contains('.'));
    for bad in ["a b", "caf\u{e9}", &"\u{e9}".repeat(200), "a/b", &format!("{} ", "f".repeat(100))] {
        // The cut part may be the one at fault, and then the name is as good as any.
        let name = SessionName::for_definition(bad, 1);
        assert!(name.is_err() || bad.len() > 53, "{bad}");
    }
}
