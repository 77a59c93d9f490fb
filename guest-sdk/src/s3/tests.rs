//! Which requests the operations make of their arguments, and what they make of S3's answers.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::{Denial, ServiceError};

/// Gives prepared answers, one a call, and keeps the calls.
#[derive(Clone, Default)]
struct Script {
    answers: Rc<RefCell<Vec<Result<Response, Error>>>>,
    calls: Rc<RefCell<Vec<Call>>>,
}

impl Transport for Script {
    fn send(&self, call: Call) -> Result<Response, Error> {
        self.calls.borrow_mut().push(call);
        self.answers.borrow_mut().remove(0)
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, Error> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    Ok(Response { status, headers: headers.collect(), body: body.as_bytes().to_vec() })
}

/// A client that meets these answers, and the calls that it will have made.
fn scripted(answers: Vec<Result<Response, Error>>) -> (Client, Rc<RefCell<Vec<Call>>>) {
    let script = Script { answers: Rc::new(RefCell::new(answers)), ..Script::default() };
    let calls = Rc::clone(&script.calls);
    (Client::with_transport(script).region("us-east-1"), calls)
}

/// `METHOD path?query`, with the query as it is.
fn line(call: &Call) -> String {
    let query: Vec<_> = call.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{} {}{mark}{}", call.method, call.path, query.join("&"))
}

type Operation = fn(&Client) -> Result<(), Error>;

#[test]
fn each_operation_makes_its_request() {
    let cases: &[(Operation, &str)] = &[
        (|s3| s3.create_bucket("b"), "PUT /b"),
        (|s3| s3.delete_bucket("b"), "DELETE /b"),
        (|s3| s3.head_bucket("b"), "HEAD /b"),
        (|s3| s3.head_bucket("b/../c?acl"), "HEAD /b%2F..%2Fc%3Facl"),
        (|s3| s3.put_object("b", "k", "x").send().map(drop), "PUT /b/k"),
        (|s3| s3.put_object("b", "in/a b+c%?&.txt", "x").send().map(drop), "PUT /b/in/a%20b%2Bc%25%3F%26.txt"),
        (|s3| s3.get_object("b", "/k//").map(drop), "GET /b//k//"),
        (|s3| s3.head_object("b", "日").map(drop), "HEAD /b/%E6%97%A5"),
        (|s3| s3.delete_object("b", "k?versionId=1"), "DELETE /b/k%3FversionId%3D1"),
    ];
    for (operation, expected) in cases {
        let (client, calls) = scripted(vec![answer(200, &[], "")]);
        operation(&client).expect(expected);
        let calls = calls.borrow();
        assert_eq!(calls.iter().map(line).collect::<Vec<_>>(), [*expected]);
        assert_eq!((calls[0].service.as_str(), calls[0].region.as_deref()), ("s3", Some("us-east-1")));
    }
}

#[test]
fn an_empty_name_never_becomes_a_call_on_something_larger() {
    let cases: &[Operation] = &[
        |s3| s3.delete_bucket(""),
        |s3| s3.create_bucket(""),
        |s3| s3.head_bucket(""),
        |s3| s3.list_objects_v2("").send().map(drop),
        |s3| s3.delete_object("b", ""),
        |s3| s3.delete_object("", "k"),
        |s3| s3.get_object("b", "").map(drop),
        |s3| s3.head_object("b", "").map(drop),
        |s3| s3.put_object("b", "", "x").send().map(drop),
    ];
    for operation in cases {
        let (client, calls) = scripted(vec![]);
        let error = operation(&client).expect_err("an empty name");
        assert!(matches!(error, Error::InvalidRequest(_)), "{error}");
        assert!(calls.borrow().is_empty());
    }
}

#[test]
fn a_bucket_is_created_where_the_client_is() {
    let cases = [
        ("us-east-1", ""),
        (
            "eu-central-1",
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>",
        ),
    ];
    for (region, body) in cases {
        let (client, calls) = scripted(vec![answer(200, &[], "")]);
        client.region(region).create_bucket("b").expect(region);
        assert_eq!(String::from_utf8_lossy(&calls.borrow()[0].body), body, "{region}");
        assert_eq!(calls.borrow()[0].region.as_deref(), Some(region));
    }
}

#[test]
fn an_object_is_written_and_read_back() {
    let (client, calls) = scripted(vec![
        answer(200, &[("etag", "\"abc\"")], ""),
        answer(
            200,
            &[
                ("content-length", "12"),
                ("content-type", "text/plain"),
                ("etag", "\"abc\""),
                ("last-modified", "Wed, 25 Nov 2026 10:00:00 GMT"),
                ("x-amz-meta-colour", "blue"),
            ],
            "Hello World!",
        ),
    ]);
    let put = client.put_object("b", "k", "Hello World!").content_type("text/plain").metadata("Colour", "blue");
    assert_eq!(put.send().expect("written").as_deref(), Some("\"abc\""));
    let call = calls.borrow()[0].clone();
    assert_eq!(call.body, b"Hello World!");
    assert_eq!(
        call.headers,
        [("content-type".to_owned(), b"text/plain".to_vec()), ("x-amz-meta-colour".to_owned(), b"blue".to_vec())]
    );
    let object = client.get_object("b", "k").expect("read");
    assert_eq!(object.body, b"Hello World!");
    assert_eq!(
        object.head,
        ObjectHead {
            content_length: Some(12),
            content_type: Some("text/plain".into()),
            e_tag: Some("\"abc\"".into()),
            last_modified: Some("Wed, 25 Nov 2026 10:00:00 GMT".into()),
            metadata: vec![("colour".into(), "blue".into())],
        }
    );
}

#[test]
fn buckets_are_listed() {
    let body = r#"<?xml version="1.0" encoding="UTF-8"?>
        <ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <Owner><ID>1</ID></Owner>
            <Buckets>
                <Bucket><Name>one</Name><CreationDate>2026-11-25T10:00:00.000Z</CreationDate></Bucket>
                <Bucket><Name>two</Name></Bucket>
            </Buckets>
        </ListAllMyBucketsResult>"#;
    let (client, calls) = scripted(vec![answer(200, &[], body)]);
    assert_eq!(
        client.list_buckets().expect("listed"),
        [
            Bucket { name: "one".into(), creation_date: "2026-11-25T10:00:00.000Z".into() },
            Bucket { name: "two".into(), creation_date: String::new() },
        ]
    );
    assert_eq!(line(&calls.borrow()[0]), "GET /");
}

const FIRST_PAGE: &str = r#"<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
    <Name>b</Name><IsTruncated>true</IsTruncated><NextContinuationToken>1/x+=</NextContinuationToken>
    <Contents>
        <Key>in/a&amp;b&#13; </Key><LastModified>2026-11-25T10:00:00.000Z</LastModified>
        <ETag>&quot;abc&quot;</ETag><Size>12</Size>
    </Contents>
    <CommonPrefixes><Prefix>in/deeper/</Prefix></CommonPrefixes>
</ListBucketResult>"#;
const LAST_PAGE: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
                         <Contents><Key>in/z</Key><Size>0</Size></Contents></ListBucketResult>";

#[test]
fn objects_are_listed_page_after_page() {
    let (client, calls) = scripted(vec![answer(200, &[], FIRST_PAGE), answer(200, &[], LAST_PAGE)]);
    let listing =
        client.list_objects_v2("b").prefix("out/").delimiter("/").max_keys(2).start_after("in/A").prefix("in/");
    let pages: Vec<_> = listing.pages().collect::<Result<_, _>>().expect("two pages");
    assert_eq!(
        pages,
        [
            ObjectsPage {
                objects: vec![ListedObject {
                    key: "in/a&b\r ".into(),
                    size: 12,
                    e_tag: "\"abc\"".into(),
                    last_modified: "2026-11-25T10:00:00.000Z".into(),
                }],
                common_prefixes: vec!["in/deeper/".into()],
                next_continuation_token: Some("1/x+=".into()),
            },
            ObjectsPage {
                objects: vec![ListedObject {
                    key: "in/z".into(),
                    size: 0,
                    e_tag: String::new(),
                    last_modified: String::new(),
                }],
                ..ObjectsPage::default()
            },
        ]
    );
    let first = "GET /b?list-type=2&delimiter=/&max-keys=2&start-after=in/A&prefix=in/";
    assert_eq!(
        calls.borrow().iter().map(line).collect::<Vec<_>>(),
        [first.to_owned(), format!("{first}&continuation-token=1/x+=")]
    );
}

#[test]
fn a_listing_ends_at_the_first_error() {
    let (client, calls) = scripted(vec![answer(200, &[], FIRST_PAGE), Err(Error::TimedOut)]);
    let pages: Vec<_> = client.list_objects_v2("b").pages().collect();
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[1], Err(Error::TimedOut));
    assert_eq!(calls.borrow().len(), 2);
}

#[test]
fn a_service_s_error_is_read_from_what_there_is() {
    let whole = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.\
                 </Message><Key>k</Key><RequestId>4442587FB7D0A2F9</RequestId></Error>";
    let cases = [
        (404, whole, ("NoSuchKey", "The specified key does not exist.", Some("4442587FB7D0A2F9"))),
        (403, "<Error><Code>AccessDenied</Code></Error>", ("AccessDenied", "", Some("from-the-header"))),
        (404, "", ("NotFound", "", Some("from-the-header"))),
        (403, "", ("Forbidden", "", Some("from-the-header"))),
        (301, "", ("MovedPermanently", "", Some("from-the-header"))),
        (502, "<html><body>Bad gateway</body></html>", ("Status502", "", Some("from-the-header"))),
        (400, "<Error><Code></Code><Message>odd</Message></Error>", ("BadRequest", "odd", Some("from-the-header"))),
        (400, "<Error><Code>Trunca", ("BadRequest", "", Some("from-the-header"))),
    ];
    for (status, body, (code, message, request_id)) in cases {
        let (client, _) = scripted(vec![answer(status, &[("x-amz-request-id", "from-the-header")], body)]);
        let expected = ServiceError {
            status,
            code: code.into(),
            message: message.into(),
            request_id: request_id.map(str::to_owned),
        };
        assert_eq!(client.get_object("b", "k").expect_err(body), Error::Service(expected), "{body}");
    }
}

#[test]
fn an_answer_that_is_not_s3_s_is_no_empty_list() {
    let cases = [
        "",
        "<html/>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><CommonPrefixes/></ListBucketResult>",
    ];
    for body in cases {
        let (client, _) = scripted(vec![answer(200, &[], body), answer(200, &[], body)]);
        let error = client.list_objects_v2("b").send().expect_err(body);
        assert!(matches!(error, Error::UnexpectedAnswer(_)), "{body}: {error}");
        assert!(matches!(client.list_buckets(), Err(Error::UnexpectedAnswer(_))), "{body}");
    }
}

#[test]
fn a_refusal_of_the_host_is_passed_on_as_it_is() {
    let denied = Error::Denied(Denial { missing: vec![], reason: "no".into() });
    for error in [denied, Error::TooLarge { limit: 1 }, Error::TimedOut, Error::Quota("64 calls".into())] {
        let (client, _) = scripted(vec![Err(error.clone())]);
        assert_eq!(client.head_bucket("b"), Err(error));
    }
}
