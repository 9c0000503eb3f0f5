//! A JSON body: its schema, the schemas that it refers to, and an example.

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, Object, ObjectBuilder, SchemaType, Type,
};
use utoipa::openapi::{Content, ContentBuilder, RefOr, Schema};

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

    /// A body that `A` or `B` describes, or both.
    #[must_use]
    pub fn of_either<A: ToSchema, B: ToSchema>(example: Value) -> Self {
        let mut named = Vec::new();
        A::schemas(&mut named);
        B::schemas(&mut named);
        let either = AnyOfBuilder::new().item(A::schema()).item(B::schema());
        Self {
            schema: Schema::AnyOf(either.build()).into(),
            named,
            example,
        }
    }

    /// An object of which no field is known.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            schema: ObjectBuilder::new().into(),
            named: Vec::new(),
            example: json!({}),
        }
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

    pub(super) fn into_content(self, named: &mut Vec<(String, RefOr<Schema>)>) -> Content {
        named.extend(self.named);
        ContentBuilder::new()
            .schema(Some(self.schema))
            .example(Some(self.example))
            .build()
    }
}

/// A success of the Management family, with what a route adds to it.
pub(super) fn envelope_of_success(payload: Option<Json>) -> Json {
    let mut payload = payload.unwrap_or_else(Json::empty);
    let mut envelope = ObjectBuilder::new()
        .property("success", only(Type::Boolean, json!(true)))
        .property("code", only(Type::Integer, json!(0)))
        .property("message", only(Type::String, json!("")))
        .build();
    if let RefOr::T(Schema::Object(object)) = payload.schema {
        envelope.properties.extend(object.properties);
    }
    payload.schema = envelope.into();
    if let Some(example) = payload.example.as_object_mut() {
        example.insert("success".to_owned(), json!(true));
        example.insert("code".to_owned(), json!(0));
        example.insert("message".to_owned(), json!(""));
    }
    payload.answered()
}

/// The schema of this one value.
pub(super) fn only(kind: Type, value: Value) -> Object {
    one_of(kind, [value])
}

/// The schema of these values.
pub(super) fn one_of(kind: Type, values: impl IntoIterator<Item = Value>) -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(kind))
        .enum_values(Some(values))
        .build()
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
