//! The API's description of the user object.

use std::borrow::Cow;

use serde_json::json;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::UserPayload;
use super::change::{Body, EMAIL, OWNED, SETTINGS, SettingBody, USER_NAME, UserChange};
use crate::domain::{ProfileField, SettingType};
use crate::http::openapi::Json;

/// The body of `POST /v1/auth/user`.
#[must_use]
pub fn body() -> Json {
    Json::of::<Body>(json!({
        "user": {
            "firstName": "Ada",
            "countryCode": "GB",
            "settings": [{ "category": "ui", "name": "theme", "value": "dark" }],
        },
    }))
}

/// What `GET` and `POST /v1/auth/user` add to the envelope.
#[must_use]
pub fn answer() -> Json {
    Json::of::<UserPayload<'_>>(json!({ "user": example() }))
}

/// An example of [`UserObject`](super::UserObject).
#[must_use]
pub fn example() -> serde_json::Value {
    json!({
        "id": "6b03f80b55d568306a5d0d6c",
        "userName": "abc@example.com",
        "email": "abc@example.com",
        "phoneNumber": null,
        "title": null,
        "firstName": "Ada",
        "lastName": null,
        "department": null,
        "birthDate": null,
        "createdAt": "2026-11-23T08:23:39.036Z",
        "updatedAt": "2026-11-23T08:23:39.436Z",
        "lastDismissMessages": null,
        "lastLogIn": "2026-11-23T08:23:39.369Z",
        "rank": null,
        "image": null,
        "address": null,
        "postalCode": null,
        "region": null,
        "city": null,
        "country": null,
        "countryCode": "GB",
        "mobile": null,
        "notes": null,
        "customerId": null,
        "roles": ["user"],
        "apiKeys": [],
        "settings": [{
            "id": 1,
            "category": "ui",
            "group": null,
            "name": "theme",
            "value": "dark",
            "type": "string",
            "description": null,
            "readOnly": false,
            "userId": "6b03f80b55d568306a5d0d6c",
        }],
    })
}

impl ToSchema for UserChange {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((SettingBody::name().into_owned(), SettingBody::schema()));
        SettingBody::schemas(schemas);
    }
}

impl PartialSchema for UserChange {
    fn schema() -> RefOr<Schema> {
        let name = |description| {
            ObjectBuilder::new()
                .schema_type(or_null(Type::String))
                .description(Some(description))
        };
        let settings = utoipa::openapi::ArrayBuilder::new()
            .items(utoipa::openapi::Ref::from_schema_name(SettingBody::name()))
            .description(Some("Settings that are not sent stay unchanged."));
        let mut user = ObjectBuilder::new()
            .description(Some("An absent field stays unchanged; `null` clears it."));
        for field in ProfileField::ALL {
            user = user.property(field.name(), of_field(field));
        }
        user = user
            .property(SETTINGS, settings)
            .property(USER_NAME, name("If sent, must equal the stored value."))
            .property(EMAIL, name("If sent, must equal the stored value."));
        for owned in OWNED {
            let ignored = ObjectBuilder::new()
                .schema_type(SchemaType::AnyValue)
                .description(Some("Read-only: ignored."));
            user = user.property(owned, ignored);
        }
        user.build().into()
    }
}

/// Without regard to case. The server also checks what follows.
const IMAGE_PATTERN: &str = "^([Hh][Tt][Tt][Pp][Ss]://|[Dd][Aa][Tt][Aa]:[Ii][Mm][Aa][Gg][Ee]/\
    ([Pp][Nn][Gg]|[Jj][Pp][Ee][Gg]|[Ww][Ee][Bb][Pp]|[Gg][Ii][Ff])\
    (;[Bb][Aa][Ss][Ee]64)?,.)";

fn of_field(field: ProfileField) -> Object {
    let text = ObjectBuilder::new().schema_type(or_null(Type::String));
    match field {
        ProfileField::CountryCode => text
            .pattern(Some("^[A-Z]{2}$"))
            .description(Some("ISO 3166-1 alpha-2.")),
        ProfileField::BirthDate | ProfileField::LastDismissMessages => text
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some(
                "Any UTC offset, years 1 to 9999; stored in UTC with milliseconds.",
            )),
        ProfileField::Image => text
            .max_length(Some(field.max_bytes()))
            .pattern(Some(IMAGE_PATTERN))
            .description(Some(
                "An https URL with a host, or a data URL of image/png, image/jpeg, image/webp or \
                 image/gif without parameters, of up to 48 KiB.",
            )),
        ProfileField::Notes => text
            .max_length(Some(field.max_bytes()))
            .description(Some("Up to 4096 bytes of UTF-8; line breaks are allowed.")),
        _ => text.max_length(Some(field.max_bytes())).description(Some(
            "Up to 256 bytes of UTF-8, without control characters.",
        )),
    }
    .build()
}

fn or_null(kind: Type) -> SchemaType {
    SchemaType::Array(vec![kind, Type::Null])
}

pub(super) struct SettingTypeName;

impl ToSchema for SettingTypeName {
    fn name() -> Cow<'static, str> {
        "SettingType".into()
    }
}

impl PartialSchema for SettingTypeName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(SettingType::ALL.map(SettingType::name)))
            .into()
    }
}
