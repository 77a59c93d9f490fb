//! `s3-operations BUCKET`: every operation of the S3 client, on a bucket that it makes and deletes. Each answer is
//! checked here.

use rolebox_guest::{Error, s3};
use rolebox_test_guests::arguments;

/// Keys whose encoding is easy to get wrong, in the order of a listing: that of their UTF-8 bytes.
const KEYS: [&str; 8] = [
    "100% sure",
    "a+b=c",
    "in/deeper/d.txt",
    "in/e f.txt",
    "in/g&h?i#j.txt",
    "quote'\"<>.txt",
    "tilde~(x)!",
    "日本.txt",
];

fn main() -> Result<(), Error> {
    let arguments = arguments();
    let [bucket] = arguments.as_slice() else { panic!("usage: s3-operations BUCKET") };
    let s3 = s3::Client::new();

    assert!(s3.head_bucket(bucket).expect_err("not there yet").is_not_found());
    assert!(s3.get_object(bucket, "k").expect_err("not there yet").is_no_such_bucket());
    s3.create_bucket(bucket)?;
    s3.head_bucket(bucket)?;
    assert!(s3.list_buckets()?.iter().any(|other| other.name == *bucket));
    assert_eq!(s3.list_objects_v2(bucket).send()?, s3::ObjectsPage::default());

    objects(&s3, bucket)?;
    listings(&s3, bucket)?;

    let error = s3.delete_bucket(bucket).expect_err("it holds objects");
    assert_eq!(error.code(), Some("BucketNotEmpty"), "{error}");
    for key in KEYS {
        s3.delete_object(bucket, key)?;
        s3.delete_object(bucket, key)?;
        assert!(s3.get_object(bucket, key).expect_err("deleted").is_no_such_key());
        assert!(s3.head_object(bucket, key).expect_err("deleted").is_not_found());
    }
    s3.delete_bucket(bucket)?;
    assert!(s3.head_bucket(bucket).expect_err("deleted").is_not_found());
    println!("all operations did what they should");
    Ok(())
}

/// Writes and reads an object under each key, with every byte value in its body.
fn objects(s3: &s3::Client, bucket: &str) -> Result<(), Error> {
    let bytes: Vec<u8> = (0..=u8::MAX).collect();
    for key in KEYS {
        let body = [key.as_bytes(), &bytes].concat();
        let put = s3.put_object(bucket, key, body.clone()).content_type("text/plain").metadata("colour", "blue");
        let e_tag = put.send()?;
        assert!(e_tag.is_some());

        let object = s3.get_object(bucket, key)?;
        assert_eq!(object.body, body, "{key}");
        assert_eq!(object.head.e_tag, e_tag);
        assert_eq!(object.head.content_type.as_deref(), Some("text/plain"));
        assert_eq!(object.head.metadata, [("colour".to_owned(), "blue".to_owned())]);

        let head = s3.head_object(bucket, key)?;
        assert_eq!(head.content_length, u64::try_from(body.len()).ok(), "{key}");
        assert_eq!(head.e_tag, e_tag);
    }
    s3.put_object(bucket, KEYS[0], "overwritten").send()?;
    assert_eq!(s3.get_object(bucket, KEYS[0])?.body, b"overwritten");
    Ok(())
}

fn listings(s3: &s3::Client, bucket: &str) -> Result<(), Error> {
    let keys = |page: &s3::ObjectsPage| page.objects.iter().map(|object| object.key.clone()).collect::<Vec<_>>();

    let all = s3.list_objects_v2(bucket).send()?;
    assert_eq!(keys(&all), KEYS);
    assert_eq!(all.objects[0].size, 11);
    assert_eq!(all.next_continuation_token, None);

    let inside = s3.list_objects_v2(bucket).prefix("in/").delimiter("/").send()?;
    assert_eq!(keys(&inside), ["in/e f.txt", "in/g&h?i#j.txt"]);
    assert_eq!(inside.common_prefixes, ["in/deeper/"]);

    assert_eq!(keys(&s3.list_objects_v2(bucket).start_after("quote").send()?), KEYS[5..]);

    let mut paged = Vec::new();
    for page in s3.list_objects_v2(bucket).max_keys(3).pages() {
        let page = page?;
        assert!(page.objects.len() <= 3);
        paged.extend(keys(&page));
    }
    assert_eq!(paged, KEYS);
    Ok(())
}
