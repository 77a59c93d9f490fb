//! Operations on items: which tables they reach, and which items they name.

use rolebox_policy::{Check, CheckResource, ItemKey};

use super::{expression, table_arn, table_of, table_or_index};
use crate::api::{Input, missing};
use crate::refusal::{Quoted, Refusal};
use crate::wire::json::Json;

/// The longest value that can be a partition key, in bytes.
///
/// Source: "Service, account, and table quotas in Amazon DynamoDB", Developer Guide (ServiceQuotas.html).
const LONGEST_KEY: usize = 2048;

/// An operation with one `Key`.
pub(super) fn key(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    one(input, "Key")
}

/// An operation with one `Item`.
pub(super) fn item(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    one(input, "Item")
}

fn one(input: &Input<'_>, name: &str) -> Result<Vec<Check>, Refusal> {
    let attributes = input.body.object(name)?.ok_or_else(|| missing(name))?;
    let check = input.own(CheckResource::Arn(table_of(input)?)).item(item_key(attributes));
    Ok(vec![with_options(check, input.body)?])
}

pub(super) fn batch_get(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    tables(input, |request| request.list("Keys")?.iter().map(attributes).collect())
}

pub(super) fn batch_write(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    tables(input, |requests| {
        let requests = requests.as_list().unwrap_or_default();
        requests
            .iter()
            .map(|request| match request.members() {
                [(kind, put)] if kind == "PutRequest" => attributes(put.get("Item").unwrap_or(&Json::Null)),
                [(kind, delete)] if kind == "DeleteRequest" => attributes(delete.get("Key").unwrap_or(&Json::Null)),
                _ => Err(Refusal::malformed(
                    "body member `RequestItems`",
                    "a request is not one of PutRequest and DeleteRequest",
                    "put or delete one item in each",
                )),
            })
            .collect()
    })
}

/// One check for each table of `RequestItems`, with the items that `items` finds in its requests.
fn tables(input: &Input<'_>, items: impl Fn(&Json) -> Result<Vec<ItemKey>, Refusal>) -> Result<Vec<Check>, Refusal> {
    let requests = input.body.object("RequestItems")?.ok_or_else(|| missing("RequestItems"))?;
    let mut checks = Vec::new();
    for (table, request) in requests.members() {
        let mut check = input.own(CheckResource::Arn(table_arn(input, table)?));
        check.items = items(request)?;
        if check.items.is_empty() {
            return Err(Refusal::malformed(
                format!("body member {}", Quoted(table)),
                "it names no item",
                "leave the table out, or name an item",
            ));
        }
        checks.push(with_options(check, input.body)?);
    }
    Ok(checks)
}

pub(super) fn transact_get(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    transact(input, &[("Get", "GetItem", "Key")])
}

pub(super) fn transact_write(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    transact(
        input,
        &[
            ("ConditionCheck", "ConditionCheckItem", "Key"),
            ("Delete", "DeleteItem", "Key"),
            ("Put", "PutItem", "Item"),
            ("Update", "UpdateItem", "Key"),
        ],
    )
}

/// A transaction has no action of its own: each of its items needs the one for what is done with it.
fn transact(input: &Input<'_>, kinds: &[(&str, &str, &str)]) -> Result<Vec<Check>, Refusal> {
    let mut checks = Vec::new();
    for entry in input.body.list("TransactItems")? {
        let [(kind, request)] = entry.members() else {
            return Err(one_kind());
        };
        let (_, action, name) = kinds.iter().find(|(name, _, _)| name == kind).ok_or_else(one_kind)?;
        let table = request.text("TableName")?.ok_or_else(|| missing("TableName"))?;
        let item = request.object(name)?.ok_or_else(|| missing(name))?;
        let mut check = input.action(action, CheckResource::Arn(table_arn(input, table)?)).item(item_key(item));
        // IAM has no such key for ConditionCheckItem, which exists in transactions alone.
        if *action != "ConditionCheckItem" {
            check.context.insert("dynamodb:EnclosingOperation", input.name);
        }
        checks.push(check);
    }
    Ok(checks)
}

fn one_kind() -> Refusal {
    Refusal::malformed("body member `TransactItems`", "an entry is not one request", "put one request into each entry")
}

/// A Query names one item for its check when its condition is a plain equality on the table's own key.
pub(super) fn query(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = table_or_index(input)?;
    let equalities = if input.has("IndexName") { None } else { expression::equalities(input.body) };
    for check in &mut checks {
        check.items = equalities.iter().map(|pairs| key_of(pairs.iter().copied())).collect();
        *check = with_options(check.clone(), input.body)?;
    }
    Ok(checks)
}

/// The attributes of a key or an item.
fn attributes(item: &Json) -> Result<ItemKey, Refusal> {
    if !item.is_object() {
        return Err(missing("Key"));
    }
    Ok(item_key(item))
}

fn item_key(item: &Json) -> ItemKey {
    key_of(item.members().iter().map(|(name, value)| (name.as_str(), value)))
}

/// The attributes that can be a partition key: strings and numbers that are not too long.
fn key_of<'a>(attributes: impl Iterator<Item = (&'a str, &'a Json)>) -> ItemKey {
    let mut key = ItemKey::new();
    for (name, value) in attributes {
        if let [(kind, Json::Text(text))] = value.members()
            && matches!(kind.as_str(), "S" | "N")
            && text.len() <= LONGEST_KEY
        {
            key = key.attribute(name, text.as_str());
        }
    }
    key
}

/// Condition keys that stand in the request by themselves, and the actions that have them.
const OPTIONS: &[(&str, &str, &[&str])] = &[
    (
        "dynamodb:ReturnConsumedCapacity",
        "ReturnConsumedCapacity",
        &["BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"],
    ),
    ("dynamodb:ReturnValues", "ReturnValues", &["DeleteItem", "PutItem", "UpdateItem"]),
    ("dynamodb:Select", "Select", &["Query"]),
];

fn with_options(mut check: Check, body: &Json) -> Result<Check, Refusal> {
    for (key, name, actions) in OPTIONS {
        let applies = check.action.split_once(':').is_some_and(|(_, action)| actions.contains(&action));
        if let Some(value) = body.text(name)?.filter(|_| applies) {
            check.context.insert(*key, value);
        }
    }
    Ok(check)
}
