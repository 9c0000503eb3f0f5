//! What the reference says of the user object.

use serde_json::json;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{OWNED, UserPayload};
use crate::domain::{ProfileField, SettingType};
use crate::http::openapi::Json;

/// What `POST /v1/auth/user` takes.
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
    Json::of::<UserPayload<'_>>(json!({
        "user": {
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
        },
    }))
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
struct Body {
    user: UserChange,
}

/// What [`super::parse`] takes.
struct UserChange;

impl ToSchema for UserChange {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("SettingChange".to_owned(), SettingChange::schema()));
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
            .items(utoipa::openapi::Ref::from_schema_name("SettingChange"))
            .description(Some("Those that are not sent stay."));
        let mut user = ObjectBuilder::new()
            .description(Some("A field that is absent stays, `null` clears it."));
        for field in ProfileField::ALL {
            user = user.property(field.name(), of_field(field));
        }
        user = user
            .property("settings", settings)
            .property("userName", name("Must be what is stored, if it is sent."))
            .property("email", name("Must be what is stored, if it is sent."));
        for owned in OWNED {
            let ignored = ObjectBuilder::new()
                .schema_type(SchemaType::AnyValue)
                .description(Some("The server's own: ignored."));
            user = user.property(owned, ignored);
        }
        user.build().into()
    }
}

fn of_field(field: ProfileField) -> Object {
    let text = ObjectBuilder::new().schema_type(or_null(Type::String));
    match field {
        ProfileField::CountryCode => text
            .pattern(Some("^[A-Z]{2}$"))
            .description(Some("ISO 3166-1 alpha-2.")),
        ProfileField::BirthDate | ProfileField::LastDismissMessages => text
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some(
                "Of any offset, and the years 1 to 9999; kept as UTC to the millisecond.",
            )),
        ProfileField::Image => text
            .max_length(Some(field.max_bytes()))
            .pattern(Some("^([Hh][Tt][Tt][Pp][Ss]://|[Dd][Aa][Tt][Aa]:)"))
            .description(Some(
                "An https URL with a host, or a data URL, of up to 48 KiB.",
            )),
        ProfileField::Notes => text
            .max_length(Some(field.max_bytes()))
            .description(Some("Up to 4096 bytes of UTF-8, with line breaks.")),
        _ => text.max_length(Some(field.max_bytes())).description(Some(
            "Up to 256 bytes of UTF-8, without control characters.",
        )),
    }
    .build()
}

fn or_null(kind: Type) -> SchemaType {
    SchemaType::Array(vec![kind, Type::Null])
}

/// A setting to make, change or remove.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes what is read by hand")]
struct SettingChange {
    /// Which to change; a new one is made where there is none.
    id: Option<i64>,
    /// Up to 128 bytes of UTF-8, and not empty; a new one must have it.
    #[schema(max_length = 128)]
    category: Option<String>,
    /// Up to 128 bytes of UTF-8.
    #[schema(max_length = 128)]
    group: Option<String>,
    /// Up to 128 bytes of UTF-8, and not empty; a new one must have it.
    #[schema(max_length = 128)]
    name: Option<String>,
    /// Up to 1024 bytes of UTF-8, of the setting's type; `null` removes the setting.
    #[schema(max_length = 1024)]
    value: Option<String>,
    /// What the value is: `string` by default.
    #[schema(schema_with = setting_type_or_null)]
    r#type: Option<String>,
    /// Up to 256 bytes of UTF-8.
    #[schema(max_length = 256)]
    description: Option<String>,
}

/// The names of the types of settings.
pub(super) fn setting_type() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(SettingType::ALL.map(SettingType::name)))
        .build()
}

fn setting_type_or_null() -> Object {
    let names = SettingType::ALL.map(|kind| json!(kind.name()));
    ObjectBuilder::new()
        .schema_type(or_null(Type::String))
        .enum_values(Some(names.into_iter().chain([json!(null)])))
        .description(Some("What the value is: `string` by default."))
        .build()
}
