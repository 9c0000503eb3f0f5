//! A JSON body: its schema, the schemas that it refers to, and an example.

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, Object, ObjectBuilder, SchemaType, Type,
};
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, Schema};

use crate::http::body::Empty;
use crate::http::code::Code;

/// A body, and how it looks for instance.
pub struct Json {
    schema: RefOr<Schema>,
    named: Vec<(String, RefOr<Schema>)>,
    example: Value,
}

impl Json {
    /// A body that `T` describes.
    #[must_use]
    pub fn of<T: ToSchema>(example: Value) -> Self {
        let mut named = Vec::new();
        T::schemas(&mut named);
        Self {
            schema: T::schema(),
            named,
            example,
        }
    }

    /// A body that `T` describes, in which one of these fields must be there: a variant for each,
    /// by name.
    #[must_use]
    pub fn with_one_of<T: ToSchema>(variants: &[(&str, &str)], example: Value) -> Self {
        let mut body = Self::of::<T>(example);
        let mut either = AnyOfBuilder::new();
        for (name, required) in variants {
            either = either.item(Ref::from_schema_name(*name));
            let mut variant = body.schema.clone();
            require(&mut variant, required);
            body.named.push(((*name).to_owned(), variant));
        }
        body.schema = Schema::AnyOf(either.build()).into();
        body
    }

    /// Whether there must be one: an empty body counts as `{}`.
    pub(super) fn is_required(&self) -> bool {
        match &self.schema {
            RefOr::T(Schema::Object(object)) => !object.required.is_empty(),
            _ => true,
        }
    }

    /// This body as an answer: every field is there, `null` where it is unset, and no other.
    pub(super) fn answered(mut self) -> Self {
        close(&mut self.schema);
        for (_, schema) in &mut self.named {
            close(schema);
        }
        self
    }

    /// This body as a schema of this name, which the content refers to.
    pub(super) fn into_content(
        self,
        name: String,
        named: &mut Vec<(String, RefOr<Schema>)>,
    ) -> Content {
        let reference = Ref::from_schema_name(&name);
        named.extend(self.named);
        named.push((name, self.schema));
        ContentBuilder::new()
            .schema(Some(reference))
            .example(Some(self.example))
            .build()
    }
}

/// A success of the Management family, with what an endpoint adds to it.
pub(super) fn envelope_of_success(payload: Option<Json>) -> Json {
    let mut payload = payload.unwrap_or_else(|| Json::of::<Empty>(json!({})));
    let members = [
        ("success", Type::Boolean, json!(true)),
        ("code", Type::Integer, json!(Code::Success)),
        ("message", Type::String, json!("")),
    ];
    let mut envelope = Object::new();
    for (name, kind, value) in members {
        if let Some(example) = payload.example.as_object_mut() {
            example.insert(name.to_owned(), value.clone());
        }
        let schema = only(kind, value);
        envelope.properties.insert(name.to_owned(), schema.into());
    }
    if let RefOr::T(Schema::Object(object)) = payload.schema {
        envelope.properties.extend(object.properties);
    }
    payload.schema = envelope.into();
    payload.answered()
}

/// The schema of this one value.
pub(super) fn only(kind: Type, value: Value) -> Object {
    // utoipa has no `const`, but writes an extension by whatever name it has.
    ObjectBuilder::new()
        .schema_type(kind)
        .extensions(Some(Extensions::from_iter([("const", value)])))
        .build()
}

/// Requires a field of an object, and not to be null.
fn require(schema: &mut RefOr<Schema>, name: &str) {
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    if !object.required.iter().any(|required| required == name) {
        object.required.push(name.to_owned());
    }
    if let Some(RefOr::T(Schema::Object(field))) = object.properties.get_mut(name)
        && let SchemaType::Array(types) = &field.schema_type
        && let Some(kind) = types.iter().find(|kind| **kind != Type::Null)
    {
        field.schema_type = SchemaType::Type(kind.clone());
    }
}

/// Requires all fields of an object and admits no others.
pub(super) fn close(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema
        && object.schema_type == SchemaType::Type(Type::Object)
    {
        object.required = object.properties.keys().cloned().collect();
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    }
}
