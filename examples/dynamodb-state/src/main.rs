//! A counter in DynamoDB that any number of tasks may raise at once, each by one: optimistic locking on the official SDK.
//!
//! A task reads the item and writes it back under the condition that nobody has changed it meanwhile. Who was too late
//! reads again. The first argument names the counter; `COUNTER_TABLE` names the table, whose partition key is `id`.

use std::env;
use std::process::ExitCode;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use rolebox_guest::{aws_config, block_on, code_and_message};

/// How often a task reads again before it gives up. Each time it was too late, another task was in time: so many tasks
/// may meet on one counter and all of them get through.
const ATTEMPTS: u32 = 100;

fn main() -> ExitCode {
    let counter = env::args().nth(1).unwrap_or_else(|| "visits".to_owned());
    match block_on(raise(&counter)) {
        Ok(count) => {
            println!("{counter}: {count}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Raises the counter by one; gives what it is then.
async fn raise(counter: &str) -> Result<u64, String> {
    let table =
        env::var("COUNTER_TABLE").map_err(|_| "the definition's environment has no COUNTER_TABLE".to_owned())?;
    let dynamodb = Client::new(&aws_config());
    for _ in 0..ATTEMPTS {
        let seen = read(&dynamodb, &table, counter).await?;
        let count = seen.map_or(1, |seen| seen + 1);
        if write(&dynamodb, &table, counter, seen, count).await? {
            return Ok(count);
        }
    }
    Err(format!("{counter} was changed by others {ATTEMPTS} times while this task tried to change it"))
}

/// What the counter is, or `None` where there is none yet.
async fn read(dynamodb: &Client, table: &str, counter: &str) -> Result<Option<u64>, String> {
    // A read that is eventually consistent would lose more of the races that it is to win.
    let read = dynamodb.get_item().table_name(table).key("id", text(counter)).consistent_read(true).send().await;
    let Some(item) = read.map_err(|error| code_and_message(&error))?.item else { return Ok(None) };
    let count = item.get("count").and_then(|count| count.as_n().ok()).and_then(|count| count.parse().ok());
    count.map(Some).ok_or_else(|| format!("the item {counter} of {table} has no whole number `count`"))
}

/// Writes the counter if it still is what was seen; says whether it was.
async fn write(dynamodb: &Client, table: &str, counter: &str, seen: Option<u64>, count: u64) -> Result<bool, String> {
    let number = |count: u64| AttributeValue::N(count.to_string());
    let put = dynamodb.put_item().table_name(table).item("id", text(counter)).item("count", number(count));
    let put = match seen {
        None => put.condition_expression("attribute_not_exists(id)"),
        Some(seen) => put
            .condition_expression("#count = :seen")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":seen", number(seen)),
    };
    match put.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {
            Ok(false)
        }
        Err(error) => Err(code_and_message(&error)),
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
