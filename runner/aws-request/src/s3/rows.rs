//! S3's operations: method, query keys, headers, body and IAM actions of each.
//!
//! Sources: the operations' pages in the Amazon S3 API Reference, and "Required permissions for Amazon S3 API
//! operations" in the Amazon S3 User Guide (using-with-s3-policy-actions.html). `facts/s3.json` holds the same from
//! the AWS SDKs' models, and a test compares the two.

mod bucket;
mod configuration;
mod object;

use super::row::Row;

/// Every operation that is understood.
pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    object::ROWS.iter().chain(bucket::ROWS).chain(configuration::ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::row::overlap;

    #[test]
    fn no_request_fits_two_rows() {
        let rows: Vec<&Row> = all().collect();
        for (position, one) in rows.iter().enumerate() {
            for other in &rows[..position] {
                assert!(!overlap(one, other), "{} and {}", one.name, other.name);
            }
        }
    }

    #[test]
    fn header_names_are_in_lower_case_and_each_in_one_family_of_a_row() {
        for row in all() {
            let names: Vec<&str> = row.headers.iter().flat_map(|family| family.names).copied().collect();
            for (position, name) in names.iter().enumerate() {
                assert_eq!(*name, name.to_ascii_lowercase());
                assert!(!names[..position].contains(name), "{} takes {name} twice", row.name);
            }
        }
    }
}
