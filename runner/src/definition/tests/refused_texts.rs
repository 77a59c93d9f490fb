//! Texts that are no JSON, that name a key twice, or that are no definition.

use expect_test::expect;
use serde_json::json;

use super::{refuse, refuse_text, smallest};

#[test]
fn doubled_keys_at_any_depth() {
    refuse_text(
        r#"{"family": "a", "family": "b"}"#,
        expect!["family: this key appears twice in the same object. Keep the one that you mean."],
    );
    refuse_text(
        r#"{"family": "a", "f\u0061mily": "b"}"#,
        expect!["family: this key appears twice in the same object. Keep the one that you mean."],
    );
    refuse_text(
        r#"{"tags": [{"x": {"y": 1, "y": 1}}], "containerDefinitions": [{}, {"image": "a", "image": "b"}]}"#,
        expect![[r#"
            tags[0].x.y: this key appears twice in the same object. Keep the one that you mean.
            containerDefinitions[1].image: this key appears twice in the same object. Keep the one that you mean."#]],
    );
    refuse_text(
        r#"{"rolebox": {"capabilities": [{"action": [], "resource": "a", "resource": "*"}]}}"#,
        expect!["rolebox.capabilities[0].resource: this key appears twice in the same object. Keep the one that you mean."],
    );
}

#[test]
fn texts_that_are_not_json() {
    refuse_text(
        "",
        expect!["line 1, column 0: not JSON: EOF while parsing a value. Correct the syntax there."],
    );
    refuse_text(
        "family: sample",
        expect!["line 1, column 3: not JSON: expected ident. Correct the syntax there."],
    );
    refuse_text(
        "{\n  \"family\": \"a\",\n}",
        expect!["line 3, column 1: not JSON: trailing comma. Correct the syntax there."],
    );
    refuse_text(
        "{\"family\": \"a\"} {}",
        expect!["line 1, column 17: not JSON: trailing characters. Correct the syntax there."],
    );
    refuse_text(
        "{\"family\": 'a'}",
        expect!["line 1, column 12: not JSON: expected value. Correct the syntax there."],
    );
    refuse_text(
        "{\"family\": \"a\nb\"}",
        expect![[r#"line 2, column 0: not JSON: control character (\u0000-\u001F) found while parsing a string. Correct the syntax there."#]],
    );
    refuse_text(
        "{\"cpu\": 01}",
        expect!["line 1, column 10: not JSON: invalid number. Correct the syntax there."],
    );
    refuse_text(
        "{\"cpu\": 1e999}",
        expect!["line 1, column 13: not JSON: number out of range. Correct the syntax there."],
    );
    refuse_text(
        "{\"cpu\": NaN}",
        expect!["line 1, column 9: not JSON: expected value. Correct the syntax there."],
    );
    refuse_text(
        r#"{"family": "\ud800"}"#,
        expect!["line 1, column 19: not JSON: unexpected end of hex escape. Correct the syntax there."],
    );
    refuse_text(
        "\u{feff}{}",
        expect!["line 1, column 1: not JSON: expected value. Correct the syntax there."],
    );
    refuse_text(
        &"[".repeat(10_000),
        expect!["line 1, column 128: not JSON: recursion limit exceeded. Correct the syntax there."],
    );
    refuse_text(
        &" ".repeat(1024 * 1024 + 1),
        expect!["the task definition is longer than 1048576 bytes. Shorten it: no more than that is read."],
    );
}

#[test]
fn documents_that_are_no_definition() {
    refuse(
        &json!(null),
        expect!["a task definition is an object, and this is null. Give an object with family and containerDefinitions."],
    );
    refuse(
        &json!([]),
        expect!["a task definition is an object, and this is a list. Give an object with family and containerDefinitions."],
    );
    refuse(
        &json!("x"),
        expect!["a task definition is an object, and this is a string. Give an object with family and containerDefinitions."],
    );
    refuse(
        &json!({}),
        expect![[r#"
        family: the family has no name. Give it one.
        containerDefinitions: there are 0 container definitions. Give 1 to 10."#]],
    );
    refuse(
        &json!({"taskDefinition": "sample:3"}),
        expect!["taskDefinition: a task definition is an object, and this is a string. Give an object with family and containerDefinitions."],
    );
    refuse(
        &json!({"taskDefinition": smallest(), "rolebox": {}}),
        expect!["rolebox: unknown key beside taskDefinition. Move it into taskDefinition, or remove it."],
    );
    refuse(
        &json!({"taskDefinition": {"family": 1}}),
        expect!["taskDefinition.family: integer `1` is of the wrong type. Give a string."],
    );
    refuse(
        &json!({"taskDefinition": {"taskDefinition": smallest()}}),
        expect![[r#"taskDefinition.taskDefinition: unknown key in the task definition. Did you mean "taskDefinitionArn"?"#]],
    );
}
