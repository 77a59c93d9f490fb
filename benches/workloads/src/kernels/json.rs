//! JSON in and out, as a service does with each message: branches on bytes, numbers to and from text, and an allocation
//! for every string and list.

use std::hint::black_box;

use serde::{Deserialize, Serialize};

use super::Run;
use crate::generate::{Numbers, digest};

const ORDERS: usize = 650;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    customer: String,
    paid: bool,
    total: f64,
    note: Option<String>,
    address: Address,
    items: Vec<Item>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Address {
    street: String,
    city: String,
    postcode: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    sku: String,
    quantity: u32,
    price: f64,
}

pub(super) fn prepare() -> Run {
    let document = serde_json::to_vec(&orders()).expect("what has no maps in it is written");
    Box::new(move || {
        let orders: Vec<Order> = serde_json::from_slice(black_box(&document)).expect("what was written is read");
        digest(&serde_json::to_vec(&orders).expect("what has no maps in it is written"))
    })
}

fn orders() -> Vec<Order> {
    let mut numbers = Numbers::new(4);
    (0..ORDERS).map(|_| order(&mut numbers)).collect()
}

fn order(numbers: &mut Numbers) -> Order {
    let items: Vec<Item> = (0..1 + numbers.below(4)).map(|_| item(numbers)).collect();
    Order {
        id: numbers.next(),
        customer: format!("{} Müller-{}", numbers.pick(&["Anna", "Boris", "Chen", "Dalia"]), numbers.below(1_000)),
        paid: numbers.below(2) == 0,
        total: amount(numbers, 10_000_000),
        note: (numbers.below(3) == 0).then(|| "leave it at the door,\n \"not\" in the rain".to_owned()),
        address: Address {
            street: format!("{} {}", numbers.pick(&["Rosenweg", "Main Street", "Rue du Port"]), numbers.below(200)),
            city: numbers.pick(&["Zürich", "Leeds", "Nantes", "Łódź"]).to_owned(),
            postcode: format!("{:05}", numbers.below(100_000)),
        },
        items,
    }
}

/// So few digits that every reader of JSON comes to the very same f64.
fn amount(numbers: &mut Numbers, cents: u64) -> f64 {
    f64::from(u32::try_from(numbers.below(cents)).unwrap_or(0)) / 100.0
}

fn item(numbers: &mut Numbers) -> Item {
    let quantity = u32::try_from(1 + numbers.below(9)).unwrap_or(1);
    Item { sku: format!("SKU-{:06}", numbers.below(1_000_000)), quantity, price: amount(numbers, 100_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let orders = orders();
        let document = serde_json::to_vec(&orders).expect("is written");
        assert!((190_000..210_000).contains(&document.len()), "{} bytes", document.len());
        let read: Vec<Order> = serde_json::from_slice(&document).expect("is read");
        assert!(read == orders, "some order is another");
    }
}
