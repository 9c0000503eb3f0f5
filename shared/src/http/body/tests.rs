use serde::de::IgnoredAny;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    text: Option<String>,
    whole_number: Option<i64>,
    #[serde(default)]
    list: Vec<Element>,
    given: Given<String>,
    nested: Option<Nested>,
    #[serde(rename = "ignored")]
    _ignored: IgnoredAny,
}

#[derive(Debug, Deserialize)]
struct Element {
    name: String,
    size: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Nested {
    name: String,
}

fn body(text: &str) -> Result<Body, String> {
    read(text.as_bytes()).map_err(|error| match error {
        HttpError::Field(name, problem) => format!("{name} {}", problem.text()),
        other => other.to_string(),
    })
}

#[test]
fn anything_but_one_object_is_malformed() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for text in [
        "[]",
        "\"a\"",
        "null",
        "1",
        "{",
        "{\"a\":1",
        "{\"a\":1}{}",
        "{'a':1}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":01}",
        r#"{"a":{"$serde_json::private::RawValue":"[1]"}}"#,
        " ",
        deep.as_str(),
    ] {
        let parsed = read::<Empty>(text.as_bytes());

        assert!(matches!(parsed, Err(HttpError::MalformedJson)), "{text}");
    }
    assert!(read::<Empty>(b"{\"a\":\"\xff\"}").is_err());
    assert!(read::<Empty>(b"").is_ok());
}

#[test]
fn an_error_names_the_field_and_what_it_must_be() {
    for (text, error) in [
        (r#"{"text":1}"#, "text must be a string"),
        (r#"{"wholeNumber":"1"}"#, "wholeNumber must be an integer"),
        (r#"{"wholeNumber":1.5}"#, "wholeNumber must be an integer"),
        (r#"{"list":null}"#, "list must be an array of objects"),
        (r#"{"list":{}}"#, "list must be an array of objects"),
        (
            r#"{"list":[{"name":1},1]}"#,
            "list must be an array of objects",
        ),
        (r#"{"list":[{}]}"#, "list.name is required"),
        (
            r#"{"list":[{"name":"a"},{"name":"b","size":"c"}]}"#,
            "list.size must be an integer",
        ),
        (r#"{"given":[]}"#, "given must be a string"),
        (r#"{"nested":"a"}"#, "nested must be of type object"),
        (r#"{"nested":{"name":null}}"#, "name is required"),
    ] {
        assert_eq!(body(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn a_repeated_field_is_refused_if_it_is_known_and_ignored_if_not() {
    for text in [
        r#"{"text":"a","text":"a"}"#,
        r#"{"text":null,"te\u0078t":null}"#,
    ] {
        assert_eq!(body(text).unwrap_err(), "text must appear only once");
    }
    let ignored = body(r#"{"ignored":1,"ignored":2}"#).unwrap_err();
    assert_eq!(ignored, "ignored must appear only once");
    let in_list = body(r#"{"list":[{"name":"a","name":"a"}]}"#).unwrap_err();
    assert_eq!(in_list, "list.name must appear only once");

    assert!(body(r#"{"unknown":1,"unknown":2}"#).is_ok());
}

#[test]
fn the_first_wrong_field_in_the_struct_s_order_is_the_error() {
    let error = body(r#"{"nested":1,"given":1,"text":1}"#).unwrap_err();

    assert_eq!(error, "text must be a string");
}

#[test]
fn null_counts_as_absent_except_in_a_given_field() {
    let nulls = r#"{"text":null,"wholeNumber":null,"given":null,"nested":null,"ignored":null}"#;
    let read = body(nulls).unwrap();

    assert!(read.text.is_none() && read.whole_number.is_none() && read.nested.is_none());
    assert_eq!(read.given.change(), Some(None));
    assert_eq!(body("{}").unwrap().given.change(), None);
    let value = body(r#"{"given":"a"}"#).unwrap().given.change();
    assert_eq!(value, Some(Some("a".to_owned())));
}

#[test]
fn an_integer_may_be_written_with_a_fraction_or_an_exponent() {
    for number in ["15", "15.0", "1.5e1"] {
        let read = body(&format!("{{\"wholeNumber\":{number}}}")).unwrap();

        assert_eq!(read.whole_number, Some(15), "{number}");
    }
}

#[test]
fn every_element_of_a_list_and_every_field_of_an_object_is_read() {
    let text = r#"{"list":[{"name":"a"},{"name":"b","size":2}],"nested":{"name":"c"}}"#;
    let read = body(text).unwrap();

    let list: Vec<_> = read.list.iter().map(|one| (&*one.name, one.size)).collect();
    assert_eq!(list, [("a", None), ("b", Some(2))]);
    assert_eq!(read.nested.unwrap().name, "c");
}
