//! Amazon DynamoDB: a table's life, its items, conditions, batches and transactions.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ConditionCheck, Delete, Get, KeySchemaElement, KeyType,
    KeysAndAttributes, Put, PutRequest, ReturnValue, ScalarAttributeType, TransactGetItem, TransactWriteItem, Update,
    WriteRequest,
};

use crate::Transcript;

type Item = HashMap<String, AttributeValue>;

/// Makes a table of this name, uses it and deletes it.
pub async fn table(dynamodb: &Client, table: &str) -> Transcript {
    let mut transcript = Transcript::default();
    let described = dynamodb.describe_table().table_name(table).send().await;
    transcript.part("DescribeTable of none", described, |_| "there is one".to_owned());
    for call in ["CreateTable", "CreateTable again"] {
        transcript.part(call, create(dynamodb, table).await, |made| {
            let table = made.table_description();
            let table = table.map(|table| (table.table_name(), table.table_status(), table.key_schema()));
            format!("{table:?}")
        });
    }
    let described = dynamodb.describe_table().table_name(table).send().await;
    transcript.part("DescribeTable", described, |described| {
        let table = described.table();
        let table =
            table.map(|table| (table.table_name(), table.table_status(), table.table_arn(), table.item_count()));
        format!("{table:?}")
    });
    items(&mut transcript, dynamodb, table).await;
    conditions(&mut transcript, dynamodb, table).await;
    batches(&mut transcript, dynamodb, table).await;
    transactions(&mut transcript, dynamodb, table).await;
    many(&mut transcript, dynamodb, table).await;
    let deleted = dynamodb.delete_table().table_name(table).send().await;
    transcript.part("DeleteTable", deleted, |deleted| {
        format!("{:?}", deleted.table_description().map(|table| (table.table_name(), table.table_status())))
    });
    let gone = dynamodb.get_item().table_name(table).set_key(Some(key("a", 1))).send().await;
    transcript.part("GetItem of no table", gone, |got| shown(got.item()));
    transcript
}

/// A write, for a task that may make none.
pub async fn denied(dynamodb: &Client, table: &str) -> Transcript {
    let mut transcript = Transcript::default();
    let put = dynamodb.put_item().table_name(table).set_item(Some(key("denied", 1))).send().await;
    transcript.whole("PutItem", put);
    transcript
}

async fn create(
    dynamodb: &Client,
    table: &str,
) -> Result<
    aws_sdk_dynamodb::operation::create_table::CreateTableOutput,
    aws_sdk_dynamodb::error::SdkError<aws_sdk_dynamodb::operation::create_table::CreateTableError>,
> {
    let mut create = dynamodb.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for (name, kind, role) in
        [("pk", ScalarAttributeType::S, KeyType::Hash), ("sk", ScalarAttributeType::N, KeyType::Range)]
    {
        // These fail only where a member is missing.
        if let (Ok(attribute), Ok(element)) = (
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build(),
            KeySchemaElement::builder().attribute_name(name).key_type(role).build(),
        ) {
            create = create.attribute_definitions(attribute).key_schema(element);
        }
    }
    create.send().await
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u32) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn key(pk: &str, sk: u32) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), number(sk))])
}

fn item(pk: &str, sk: u32, colour: &str) -> Item {
    let mut item = key(pk, sk);
    item.insert("colour".to_owned(), text(colour));
    item
}

/// An item, its attributes in the order of their names.
fn shown(item: Option<&Item>) -> String {
    let Some(item) = item else { return "no item".to_owned() };
    let mut attributes: Vec<_> = item.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    attributes.sort();
    attributes.join(", ")
}

fn all_shown(items: &[Item]) -> String {
    items.iter().map(|item| format!("[{}]", shown(Some(item)))).collect()
}

async fn items(transcript: &mut Transcript, dynamodb: &Client, table: &str) {
    let mut whole = item("a", 1, "blue");
    whole.insert("flag".to_owned(), AttributeValue::Bool(true));
    whole.insert("none".to_owned(), AttributeValue::Null(true));
    whole.insert("blob".to_owned(), AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new([0, 255, 10])));
    whole.insert("list".to_owned(), AttributeValue::L(vec![text("\"ü\"\n"), number(7)]));
    whole.insert("set".to_owned(), AttributeValue::Ss(vec!["x".to_owned()]));
    whole.insert("map".to_owned(), AttributeValue::M(HashMap::from([("deep".to_owned(), number(1))])));
    let put = dynamodb.put_item().table_name(table).set_item(Some(whole)).send().await;
    transcript.part("PutItem", put, |put| shown(put.attributes()));
    let get = |pk: &str| dynamodb.get_item().table_name(table).set_key(Some(key(pk, 1)));
    transcript.part("GetItem", get("a").consistent_read(true).send().await, |got| shown(got.item()));
    transcript.part("GetItem of none", get("none").send().await, |got| shown(got.item()));
    let some = get("a").projection_expression("colour, #m.deep").expression_attribute_names("#m", "map");
    transcript.part("GetItem, some of it", some.send().await, |got| shown(got.item()));
    let half = HashMap::from([("pk".to_owned(), text("a"))]);
    let invalid = dynamodb.get_item().table_name(table).set_key(Some(half)).send().await;
    transcript.part("GetItem by half a key", invalid, |got| shown(got.item()));
    let missing = dynamodb.get_item().table_name(format!("{table}-missing")).set_key(Some(key("a", 1))).send().await;
    transcript.part("GetItem of a table that is none", missing, |got| shown(got.item()));
}

async fn conditions(transcript: &mut Transcript, dynamodb: &Client, table: &str) {
    let put = || dynamodb.put_item().table_name(table).set_item(Some(item("a", 1, "green")));
    let refused = put().condition_expression("attribute_not_exists(pk)").send().await;
    transcript.part("PutItem where there is one", refused, |put| shown(put.attributes()));
    let replaced = put().condition_expression("colour = :seen").expression_attribute_values(":seen", text("blue"));
    let replaced = replaced.return_values(ReturnValue::AllOld).send().await;
    transcript.part("PutItem where it is blue", replaced, |put| shown(put.attributes()));
    let update = |seen: &str| {
        let update = dynamodb.update_item().table_name(table).set_key(Some(key("a", 1)));
        let update = update.update_expression("SET colour = :new ADD #c :one").condition_expression("colour = :seen");
        let update = update.expression_attribute_names("#c", "count").expression_attribute_values(":one", number(1));
        let update = update.expression_attribute_values(":new", text("red"));
        update.expression_attribute_values(":seen", text(seen)).return_values(ReturnValue::AllNew)
    };
    transcript.part("UpdateItem", update("green").send().await, |new| shown(new.attributes()));
    transcript.part("UpdateItem too late", update("green").send().await, |new| shown(new.attributes()));
    let nonsense = dynamodb.update_item().table_name(table).set_key(Some(key("a", 1))).update_expression("SET");
    transcript.part("UpdateItem of nonsense", nonsense.send().await, |new| shown(new.attributes()));
    let delete = |seen: &str| {
        let delete = dynamodb.delete_item().table_name(table).set_key(Some(key("a", 1)));
        let delete = delete.condition_expression("colour = :seen").expression_attribute_values(":seen", text(seen));
        delete.return_values(ReturnValue::AllOld)
    };
    transcript.part("DeleteItem that is not blue", delete("blue").send().await, |old| shown(old.attributes()));
    transcript.part("DeleteItem", delete("red").send().await, |old| shown(old.attributes()));
}

async fn batches(transcript: &mut Transcript, dynamodb: &Client, table: &str) {
    let requests: Vec<_> = (1..=5)
        .filter_map(|sk| PutRequest::builder().set_item(Some(item("b", sk, "grey"))).build().ok())
        .map(|put| WriteRequest::builder().put_request(put).build())
        .collect();
    let written = dynamodb.batch_write_item().request_items(table, requests).send().await;
    transcript.part("BatchWriteItem", written, |written| {
        format!("left: {}", written.unprocessed_items().map_or(0, HashMap::len))
    });
    let keys = KeysAndAttributes::builder().keys(key("b", 1)).keys(key("b", 3)).keys(key("b", 99)).build();
    if let Ok(keys) = keys {
        let read = dynamodb.batch_get_item().request_items(table, keys).send().await;
        transcript.part("BatchGetItem", read, |read| {
            let mut items = read.responses().and_then(|all| all.get(table)).cloned().unwrap_or_default();
            items.sort_by_key(|item| shown(Some(item)));
            format!("{}, left: {}", all_shown(&items), read.unprocessed_keys().map_or(0, HashMap::len))
        });
    }
}

async fn transactions(transcript: &mut Transcript, dynamodb: &Client, table: &str) {
    let put = |pk: &str| {
        let put = Put::builder().table_name(table).set_item(Some(item(pk, 1, "white")));
        TransactWriteItem::builder().set_put(put.condition_expression("attribute_not_exists(pk)").build().ok()).build()
    };
    let update = Update::builder().table_name(table).set_key(Some(key("b", 1))).update_expression("SET colour = :new");
    let update = update.expression_attribute_values(":new", text("black")).build().ok();
    let check = ConditionCheck::builder().table_name(table).set_key(Some(key("b", 2)));
    let check = check.condition_expression("attribute_exists(pk)").build().ok();
    let delete = Delete::builder().table_name(table).set_key(Some(key("b", 5))).build().ok();
    let write = |first: &str| {
        let write = dynamodb.transact_write_items().client_request_token(format!("token-{first}"));
        write
            .transact_items(put(first))
            .transact_items(TransactWriteItem::builder().set_update(update.clone()).build())
            .transact_items(TransactWriteItem::builder().set_condition_check(check.clone()).build())
            .transact_items(TransactWriteItem::builder().set_delete(delete.clone()).build())
    };
    transcript.part("TransactWriteItems", write("t").send().await, |_| "done".to_owned());
    let refused = dynamodb.transact_write_items().transact_items(put("t")).transact_items(put("u")).send().await;
    transcript.part("TransactWriteItems where there is one", refused, |_| "done".to_owned());
    let get = |pk: &str, sk| {
        let get = Get::builder().table_name(table).set_key(Some(key(pk, sk))).build().ok();
        TransactGetItem::builder().set_get(get).build()
    };
    let read = dynamodb.transact_get_items().transact_items(get("t", 1)).transact_items(get("u", 1)).send().await;
    transcript.part("TransactGetItems", read, |read| {
        read.responses().iter().map(|one| format!("[{}]", shown(one.item()))).collect()
    });
}

/// Queries and scans, page by page.
async fn many(transcript: &mut Transcript, dynamodb: &Client, table: &str) {
    let query = dynamodb.query().table_name(table).key_condition_expression("pk = :pk AND sk < :sk");
    let query = query.expression_attribute_values(":pk", text("b")).expression_attribute_values(":sk", number(4));
    let query = query.scan_index_forward(false).limit(2);
    let mut pages = query.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = transcript.part("Query, a page", page, |page| {
            format!(
                "{} of {}, next: {}",
                all_shown(page.items()),
                page.scanned_count(),
                shown(page.last_evaluated_key())
            )
        });
        if page.is_none() {
            break;
        }
    }
    let scan = dynamodb.scan().table_name(table).filter_expression("colour IN (:a, :b)");
    let scan = scan.expression_attribute_values(":a", text("black")).expression_attribute_values(":b", text("white"));
    transcript.part("Scan", scan.send().await, |scanned| {
        let mut items = scanned.items().to_vec();
        items.sort_by_key(|item| shown(Some(item)));
        format!("{}, {} of {}", all_shown(&items), scanned.count(), scanned.scanned_count())
    });
}
